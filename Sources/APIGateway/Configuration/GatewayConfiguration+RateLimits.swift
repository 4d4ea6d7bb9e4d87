import HTTPProxy
import NIOCore
import Yams

/// How often who may ask.
extension GatewayConfiguration {
    private static let longestWindowSeconds = 31 * 86_400.0

    static func rateLimits(_ route: YAMLReader) throws -> [RateLimit] {
        let elements = try route.elements("rateLimits")
        try requireDistinctNames(of: elements)
        return try elements.map { node in
            let reader = try YAMLReader(node, keys: Self.rateLimitKeys)
            let name = try reader.requiredString("name")
            guard name.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }) else {
                throw YAMLReader.error("“name” must be of letters, digits, - and _", at: reader.node("name"))
            }
            guard let requests = try reader.integer("requests", in: 1...1_000_000_000) else { throw reader.missing("requests") }
            guard let seconds = try reader.seconds("seconds", in: 1...longestWindowSeconds) else { throw reader.missing("seconds") }
            return RateLimit(
                name: name, quota: requests, window: .milliseconds(Int64(seconds * 1000)),
                burst: try reader.integer("burst", in: 1...1_000_000_000), key: try reader.choice("by", RateLimit.Key.self) ?? .address)
        }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
