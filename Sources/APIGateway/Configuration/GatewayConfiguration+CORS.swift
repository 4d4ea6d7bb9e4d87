import Foundation
import HTTPProxy
import Yams

/// Which pages of other origins may use a route.
extension GatewayConfiguration {
    static let corsKeys: Set<String> = ["origins", "methods", "headers", "exposedHeaders", "credentials", "maximumAgeSeconds"]

    static func cors(_ route: YAMLReader) throws -> CORS? {
        guard let reader = try route.mapping("cors", keys: corsKeys) else { return nil }
        guard let origins = try reader.list("origins", origin), !origins.isEmpty else { throw reader.missing("origins") }
        var cors = CORS(origins: Set(origins))
        if let methods = try reader.list("methods", token) { cors.methods = methods.map { $0.uppercased() } }
        if let headers = try reader.list("headers", token) { cors.headers = headers }
        if let exposed = try reader.list("exposedHeaders", token) { cors.exposedHeaders = exposed }
        cors.allowsCredentials = try reader.bool("credentials") ?? false
        try reader.set(&cors.maximumAge, from: "maximumAgeSeconds", in: 0...86_400)
        guard !cors.allowsCredentials || !cors.origins.contains("*") else {
            throw YAMLReader.error("“credentials” cannot be allowed to all origins", at: reader.node("credentials"))
        }
        return cors
    }

    /// `*`, or a scheme, a host and a port if it is not the usual one; in lower case, as browsers write it.
    private static func origin(_ text: String) throws(YAMLReader.Reason) -> String {
        if text == "*" { return text }
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host() != nil,
            url.path().isEmpty,
            url.query() == nil, url.user() == nil, text == text.lowercased()
        else { throw YAMLReader.Reason(sentence: "must be an origin such as https://shop.example, or *") }
        return text
    }

    private static func token(_ text: String) throws(YAMLReader.Reason) -> String {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !#"(),/:;<=>?@[\]{}""#.utf8.contains($0) }) else {
            throw YAMLReader.Reason(sentence: "must be a name as HTTP has them")
        }
        return text
    }
}
