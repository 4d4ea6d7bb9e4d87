import NIOCore
import NIOHTTP1
import Synchronization

@testable import HTTPProxy

/// Who has asked: counts requests where a route's policies are, which is right before the cache is asked, in the same turn of the event loop.
final class Arrivals: Sendable {
    private struct State {
        var count = 0
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var policy: FunctionPolicy {
        FunctionPolicy { [self] _, _ in
            note()
            return .next
        }
    }

    /// Waits until so many have come since the beginning.
    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.waiting.append((count, continuation)) }
            wake { _ in }
        }
    }

    private func note() { wake { $0.count += 1 } }

    private func wake(_ change: (inout State) -> Void) {
        let ready = state.withLock { state in
            change(&state)
            let ready = state.waiting.filter { $0.count <= state.count }
            state.waiting.removeAll { $0.count <= state.count }
            return ready.map(\.continuation)
        }
        for continuation in ready { continuation.resume() }
    }
}

/// A proxy that caches, the upstream behind it, and the clock that age is counted by.
struct CacheSite {
    typealias Request = TestUpstream.Request
    typealias Response = TestUpstream.Response

    let upstream: TestUpstream
    let proxy: ProxyServer
    let port: Int
    let responses: ResponseCache
    let clock: CacheClock
    let arrivals: Arrivals

    /// What the upstream was asked.
    var asked: [String] { upstream.requests.map { "\($0.head.method.rawValue) \($0.head.uri)" } }

    func client() async throws -> RawClient { try await RawClient.connect(port: port) }

    /// A response for everybody, for a minute.
    static func shared(_ body: String, _ fields: [(String, String)] = [], chunks: [String]? = nil) -> Response {
        Response(headers: HTTPHeaders([("cache-control", "public, max-age=60")] + fields), body: body, chunks: chunks)
    }

    static func run(
        threads: Int = 1, observer: ProxyObserver = ProxyObserver(),
        answer: @escaping @Sendable (Request) -> Response = { shared("\($0.head.method.rawValue) \($0.head.uri)") },
        later: @escaping @Sendable (Request) -> EventLoopFuture<Response>? = { _ in nil },
        configure: (inout ProxyConfiguration) -> Void = { _ in }, _ body: (CacheSite) async throws -> Void
    ) async throws {
        let upstream = try await TestUpstream.start(answer: answer, later: later)
        let clock = CacheClock()
        let responses = ResponseCache(clock: { clock.now })
        let arrivals = Arrivals()
        var configuration = cached(everything(to: upstream.endpoint, policies: [arrivals.policy]))
        configure(&configuration)
        try await withProxy(configuration, threads: threads, observer: observer, responses: responses) { proxy, port in
            try await body(CacheSite(upstream: upstream, proxy: proxy, port: port, responses: responses, clock: clock, arrivals: arrivals))
        }
        try await upstream.stop()
    }

    /// The same configuration with a cache for every route.
    static func cached(_ configuration: ProxyConfiguration) -> ProxyConfiguration {
        var configuration = configuration
        for index in configuration.routes.indices { configuration.routes[index].cache = RouteCache() }
        return configuration
    }

    /// Waits until so many requests are under way.
    func underWay(_ count: Int) async throws {
        try await eventually { try await proxy.status().activeRequests == count }
    }
}

extension RawClient {
    /// Goes away so that the proxy sees it: one that only closes could still read.
    func vanish() async throws {
        try await channel.resetWhenClosed().get()
        try await close()
    }

    /// Sends a request without a body, for this host.
    func send(_ method: String, _ path: String, host: String = "shop.test", fields: String = "") async throws {
        try await send("\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n")
    }

    func ask(_ path: String, host: String, _ fields: String = "") async throws -> RawResponse {
        try await send("GET", path, host: host, fields: fields)
        return try await response()
    }

    func post(_ path: String, _ fields: String = "") async throws -> RawResponse {
        try await send("POST", path, fields: "Content-Length: 0\r\n\(fields)")
        return try await response()
    }
}
