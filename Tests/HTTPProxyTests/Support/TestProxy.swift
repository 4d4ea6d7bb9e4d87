import Logging
import NIOCore

@testable import HTTPProxy

/// Runs a proxy for the duration of `body`, then drains it.
@discardableResult
func withProxy<Result>(
    _ configuration: ProxyConfiguration, threads: Int = 1, observer: ProxyObserver = ProxyObserver(),
    resolver: NameResolver = .system, responses: ResponseCache = ResponseCache(),
    _ body: (ProxyServer, Int) async throws -> Result
) async throws -> Result {
    let proxy = try await ProxyServer(
        configuration: configuration, threads: threads, observer: observer, logger: Logger(label: "test"), resolver: resolver,
        responses: responses)
    do {
        let port = try await proxy.start(host: "127.0.0.1", port: 0)
        let result = try await body(proxy, port)
        try await proxy.drain(within: .milliseconds(100))
        return result
    } catch {
        try await proxy.drain(within: .nanoseconds(0))
        throw error
    }
}

/// One route that takes everything, to one endpoint.
func everything(
    to endpoint: Endpoint, timeouts: RouteTimeouts = RouteTimeouts(), maximumBodyBytes: Int = 1 << 20, policies: [any RequestPolicy] = [],
    connections: ConnectionLimits = ConnectionLimits()
) -> ProxyConfiguration {
    ProxyConfiguration(
        clusters: [Cluster(name: "all", endpoints: [endpoint], connections: connections)],
        routes: [
            Route(
                name: "all", path: .prefix("/"), target: .cluster("all"), timeouts: timeouts, maximumBodyBytes: maximumBodyBytes,
                policies: policies)
        ])
}
