import NIOCore
import Synchronization

@testable import HTTPProxy

/// A clock that a test moves.
final class CacheClock: Sendable {
    private let nanoseconds = Mutex<UInt64>(1_000_000_000_000)

    var now: NIODeadline { .uptimeNanoseconds(nanoseconds.withLock { $0 }) }
    func advance(seconds: Double) { nanoseconds.withLock { $0 += UInt64(seconds * 1_000_000_000) } }
}

/// Heads, keys and responses for tests without sockets.
enum CacheFixture {
    enum Mistake: Error {
        case noHead
    }

    /// The sixth of November 1994, 08:49:37.
    static let unixSeconds: Int64 = 784_111_777
    static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    static func request(_ method: String = "GET", _ path: String = "/", _ fields: [String] = [], host: String = "shop.test") throws
        -> RequestHead
    {
        try .reading(["\(method) \(path) HTTP/1.1", "Host: \(host)"] + fields)
    }

    static func response(_ status: Int = 200, _ fields: [String], body: String = "") throws -> ResponseHead {
        let hasFraming = fields.contains { $0.lowercased().hasPrefix("content-length") || $0.lowercased().hasPrefix("transfer-encoding") }
        let length = hasFraming ? [] : ["Content-Length: \(body.utf8.count)"]
        return try .reading(["HTTP/1.1 \(status) X"] + fields + length)
    }

    static func sent(
        _ head: RequestHead, route name: String = "all", rewrite: String? = nil, cluster: String = "all", scheme: Scheme = .http,
        isTrusted: Bool = false, changes: HeaderChanges = HeaderChanges()
    ) throws -> SentRequest {
        let route = Route(name: name, path: .prefix("/"), rewrite: rewrite, target: .cluster(cluster))
        return SentRequest(
            head: head, route: CompiledRoute(route, clusters: .one(0), segments: 0), cluster: cluster, scheme: scheme,
            isTrusted: isTrusted, changes: changes,
            snapshot: try ProxySnapshot(ProxyConfiguration(routes: [], reservedHeaderPrefixes: ["x-souk-"])))
    }

    static func key(_ path: String = "/", _ fields: [String] = []) throws -> ResponseKey {
        guard let key = ResponseKey(try sent(try request("GET", path, fields))) else { throw Mistake.noHead }
        return key
    }

    static func target(_ path: String = "/", host: String = "shop.test") throws -> CacheTarget {
        CacheTarget(try request("GET", path, host: host))
    }

    /// - Parameter at: when it came, in nanoseconds.
    static func stored(_ body: String = "body", _ fields: [String] = [], seconds: Int = 60, variant: Variant = .only, at now: Int64 = 0)
        throws -> StoredResponse
    {
        let head = try response(200, ["Cache-Control: public, max-age=\(seconds)"] + fields, body: body)
        let moment = Freshness.Moment(requestedAt: now, receivedAt: now, unixSeconds: unixSeconds)
        guard let freshness = Freshness(head, CacheDirectives(head), moment),
            let response = StoredResponse(
                head, body: ByteBuffer(string: body), variant: variant, freshness: freshness, unixSeconds: unixSeconds)
        else { throw Mistake.noHead }
        return response
    }
}

extension ResponseCache {
    /// What is there for the key and is still good.
    func body(_ key: ResponseKey, _ variant: Variant = .only) -> String? {
        guard case .fresh(let response) = find(key, now: now, { _ in variant }) else { return nil }
        return String(buffer: response.body)
    }

    @discardableResult
    func store(_ response: StoredResponse, _ key: ResponseKey, _ target: CacheTarget) -> Finish {
        finish(begin(key, target), with: response)
    }
}
