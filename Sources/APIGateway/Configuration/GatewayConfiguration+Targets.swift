import Foundation
import HTTPProxy
import NIOHTTP1
import Yams

/// Where a route of the file leads.
extension GatewayConfiguration {
    static func target(_ reader: YAMLReader, _ clusters: Set<String>) throws -> RouteTarget {
        let named = ["cluster", "split", "redirect", "respond"].compactMap { key in reader.node(key).map { (key: key, node: $0) } }
        guard let (key, node) = named.first else { throw reader.missing("cluster") }
        if let other = named.dropFirst().first { throw YAMLReader.error("“\(other.key)” cannot be beside “\(key)”", at: other.node) }
        if key != "split", let pin = reader.node("pinnedBy") { throw YAMLReader.error("“pinnedBy” needs a “split”", at: pin) }
        if ["redirect", "respond"].contains(key), let rewrite = reader.node("rewrite") {
            throw YAMLReader.error("“rewrite” needs a cluster", at: rewrite)
        }
        return switch key {
        case "cluster": .cluster(try cluster(reader, clusters))
        case "split": .split(try split(reader, clusters))
        case "redirect": .redirect(try redirect(try YAMLReader(node, keys: redirectKeys)))
        default: .fixed(try response(try YAMLReader(node, keys: responseKeys)))
        }
    }

    private static func split(_ reader: YAMLReader, _ clusters: Set<String>) throws -> WeightedSplit {
        let shares = try reader.elements("split").map { node in
            let share = try YAMLReader(node, keys: shareKeys)
            guard let weight = try share.integer("weight", in: 0...1_000_000) else { throw share.missing("weight") }
            return WeightedSplit.Share(cluster: try cluster(share, clusters), weight: weight)
        }
        guard shares.contains(where: { $0.weight > 0 }) else {
            throw YAMLReader.error("“split” gives nobody anything", at: reader.node("split"))
        }
        return WeightedSplit(shares, pinnedBy: try reader.string("pinnedBy"))
    }

    private static func redirect(_ reader: YAMLReader) throws -> Redirect {
        guard let to = try place(reader, "to", mayBeAddress: true) else { throw reader.missing("to") }
        let status = try reader.integer("status", in: 301...308) ?? 308
        guard [301, 302, 303, 307, 308].contains(status) else {
            throw YAMLReader.error("“status” must be 301, 302, 303, 307 or 308", at: reader.node("status"))
        }
        return Redirect(status: status, location: to)
    }

    private static func cluster(_ reader: YAMLReader, _ clusters: Set<String>) throws -> String {
        let cluster = try reader.requiredString("cluster")
        guard clusters.contains(cluster) else { throw YAMLReader.error("there is no cluster “\(cluster)”", at: reader.node("cluster")) }
        return cluster
    }

    /// A path, or where it may be one an address, of characters that a URL has.
    static func place(_ reader: YAMLReader, _ key: String, mayBeAddress: Bool) throws -> String? {
        guard let text = try reader.string(key) else { return nil }
        let isPath = text.hasPrefix("/") && !text.hasPrefix("//")
        let isAddress = mayBeAddress && (text.hasPrefix("https://") || text.hasPrefix("http://")) && URL(string: text)?.host() != nil
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#""<>\^`{|}?#"#.utf8.contains($0) }
        guard isPlain, isPath || isAddress else {
            throw YAMLReader.error("“\(key)” must be a path\(mayBeAddress ? " or an address" : "") without a query", at: reader.node(key))
        }
        return text
    }

    private static func response(_ reader: YAMLReader) throws -> LocalResponse {
        guard let status = try reader.integer("status", in: 200...599) else { throw reader.missing("status") }
        let contentType = try reader.string("contentType") ?? "text/plain; charset=utf-8"
        guard contentType.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw YAMLReader.error("“contentType” must be of visible ASCII characters", at: reader.node("contentType"))
        }
        return LocalResponse(status: .init(statusCode: status), contentType: contentType, text: try reader.string("text") ?? "")
    }
}
