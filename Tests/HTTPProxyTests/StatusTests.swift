import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("What a proxy tells of itself", .timeLimit(.minutes(1)))
struct StatusTests {
    private static func configuration(_ endpoints: [Endpoint], _ change: (inout Cluster) -> Void = { _ in }) -> ProxyConfiguration {
        var cluster = Cluster(name: "all", endpoints: endpoints)
        cluster.balancing = .roundRobin
        cluster.outlierDetection = nil
        cluster.breaker = nil
        change(&cluster)
        return ProxyConfiguration(
            clusters: [cluster], routes: [Route(name: "all", path: .prefix("/"), target: .cluster("all"), retries: .none)])
    }

    /// Asks until the answer is what is waited for.
    private static func status(of proxy: ProxyServer, until isSo: (ProxyStatus) -> Bool) async throws -> ProxyStatus {
        var status = try await proxy.status()
        try await eventually(state: "\(status)") {
            status = try await proxy.status()
            return isSo(status)
        }
        return status
    }

    /// An endpoint where nobody listens.
    private static func nobody() async throws -> Endpoint {
        let upstream = try await TestUpstream.start()
        let endpoint = upstream.endpoint
        try await upstream.stop()
        return endpoint
    }

    @Test("a proxy that has nothing to do says so, of every cluster and endpoint there is")
    func quiet() async throws {
        let upstream = try await TestUpstream.start()
        let configuration = Self.configuration([upstream.endpoint, Endpoint(host: "::1", port: 9)]) { $0.breaker = BreakerLimits() }
        try await withProxy(configuration, threads: 2) { proxy, _ in
            let status = try await proxy.status()
            #expect(!status.isDraining && status.eventLoops == 2 && status.clientConnections == 0 && status.activeRequests == 0)
            let cluster = try #require(status.clusters.first)
            #expect(status.clusters.count == 1 && cluster.name == "all" && !cluster.isPanicking && cluster.activeRequests == 0)
            // Three always, for each loop.
            #expect(cluster.retries.active == 0 && cluster.retries.limit == 6)
            #expect(cluster.breaker == BreakerStatus(closedLoops: 2))
            #expect(
                cluster.endpoints
                    == configuration.clusters[0].endpoints.map {
                        EndpointStatus(endpoint: $0, isHealthy: nil, ejectedFor: nil, ejections: 0, consecutiveFailures: 0)
                    })
        }
        try await upstream.stop()
    }

    @Test("an endpoint that was put out shows for how long and how often, and the others that they are in")
    func ejected() async throws {
        let bad = try await TestUpstream.start(answer: { _ in TestUpstream.Response(status: .internalServerError) })
        let good = try await TestUpstream.start()
        let configuration = Self.configuration([bad.endpoint, good.endpoint]) {
            $0.outlierDetection = OutlierDetection()
            $0.outlierDetection?.consecutiveFailures = 3
            $0.outlierDetection?.baseTime = .hours(1)
            $0.outlierDetection?.maximumTime = .hours(1)
        }
        try await withProxy(configuration) { proxy, port in
            let client = try await RawClient.connect(port: port)
            while bad.requests.count < 2 { _ = try await client.get("/") }
            #expect(try await proxy.status().clusters[0].endpoints[0].consecutiveFailures == 2)
            while bad.requests.count < 3 { _ = try await client.get("/") }
            let cluster = try await proxy.status().clusters[0]
            let (out, rest) = (cluster.endpoints[0], cluster.endpoints[1])
            let time = try #require(out.ejectedFor)
            #expect(time > .minutes(58) && time <= .hours(1))
            #expect(!out.isAvailable && out.ejections == 1 && out.consecutiveFailures == 0)
            #expect(rest.isAvailable && rest.ejectedFor == nil && rest.ejections == 0)
            // One of two is half of them.
            #expect(!cluster.isPanicking)
        }
        try await bad.stop()
        try await good.stop()
    }

    @Test("a breaker that is open shows on how many loops, and when it will try")
    func breaker() async throws {
        let configuration = Self.configuration([try await Self.nobody()]) {
            $0.breaker = BreakerLimits()
            $0.breaker?.consecutiveConnectFailures = 1
            $0.breaker?.firstOpenTime = .hours(1)
            $0.breaker?.maximumOpenTime = .hours(1)
        }
        try await withProxy(configuration, threads: 2) { proxy, port in
            // Each on a loop of its own: the first connection goes to one, the second to the other.
            #expect(try await RawClient.connect(port: port).get("/").status == 503)
            let first = try #require(try await proxy.status().clusters[0].breaker)
            #expect(first.openLoops == 1 && first.closedLoops == 1 && first.halfOpenLoops == 0)
            #expect(try await RawClient.connect(port: port).get("/").status == 503)
            let second = try #require(try await proxy.status().clusters[0].breaker)
            #expect(second.openLoops == 2 && second.closedLoops == 0)
            let time = try #require(second.nextTry)
            #expect(time > .minutes(58) && time <= .hours(1))
        }
    }

    @Test("who is being served and who waits for a connection is counted, and no more once it is over")
    func waiting() async throws {
        let answer = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
        let upstream = try await TestUpstream.start(later: { _ in answer.futureResult })
        let configuration = Self.configuration([upstream.endpoint]) {
            $0.connections.maximumConnections = 1
            $0.connections.maximumWait = .minutes(10)
            $0.connections.overloadedWait = .minutes(10)
        }
        try await withProxy(configuration) { proxy, port in
            var clients: [RawClient] = []
            for _ in 0..<3 { clients.append(try await RawClient.connect(port: port)) }
            let idle = try await RawClient.connect(port: port)
            for client in clients { try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
            let busy = try await Self.status(of: proxy) { $0.activeRequests == 3 && $0.clusters[0].endpoints[0].activeConnections == 1 }
            #expect(busy.clientConnections == 4 && busy.clusters[0].activeRequests == 3)
            let endpoint = busy.clusters[0].endpoints[0]
            #expect(endpoint.waitingRequests == 2 && endpoint.idleConnections == 0 && endpoint.openingConnections == 0)
            answer.succeed(TestUpstream.Response())
            for client in clients { #expect(try await client.response().status == 200) }
            let after = try await Self.status(of: proxy) { $0.activeRequests == 0 }.clusters[0]
            #expect(after.activeRequests == 0 && after.endpoints[0].waitingRequests == 0)
            #expect(after.endpoints[0].activeConnections == 0 && after.endpoints[0].idleConnections == 1)
            for client in clients + [idle] { try await client.close() }
            _ = try await Self.status(of: proxy) { $0.clientConnections == 0 }
        }
        try await upstream.stop()
    }

    @Test("however a request ends, it is no longer counted")
    func endings() async throws {
        let silent = try await RawUpstream.start { _, _, _ in }
        let reset = try await RawUpstream.start { channel, _, _ in channel.close(promise: nil) }
        var configuration = ProxyConfiguration(
            clusters: [
                Cluster(name: "silent", endpoints: [silent.endpoint]), Cluster(name: "reset", endpoints: [reset.endpoint]),
            ],
            routes: [
                Route(
                    name: "late", path: .prefix("/late"), target: .cluster("silent"), timeouts: RouteTimeouts(firstByte: .milliseconds(5)),
                    retries: .none),
                Route(name: "silent", path: .prefix("/silent"), target: .cluster("silent"), maximumBodyBytes: 2),
                Route(name: "reset", path: .prefix("/reset"), target: .cluster("reset"), retries: .none),
                Route(name: "fixed", path: .prefix("/fixed"), target: .fixed(LocalResponse(status: .ok))),
            ])
        for index in configuration.clusters.indices { configuration.clusters[index].breaker = nil }
        try await withProxy(configuration) { proxy, port in
            // Too late for a connection is 503, for an answer 504.
            for (path, statuses) in [("/none", [404]), ("/fixed", [200]), ("/late", [503, 504]), ("/reset", [502])] {
                let response = try await RawClient.connect(port: port).get(path)
                #expect(statuses.contains(response.status), "\(path): \(response.status)")
            }
            let client = try await RawClient.connect(port: port)
            try await client.send("POST /silent HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            #expect(try await client.response().status == 413)
            _ = try await Self.status(of: proxy) { $0.activeRequests == 0 }
            let gone = try await RawClient.connect(port: port)
            try await gone.send("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await Self.status(of: proxy) { $0.activeRequests == 1 && $0.clusters[0].endpoints[0].activeConnections == 1 }
            try await gone.close()
            let status = try await Self.status(of: proxy) { $0.activeRequests == 0 }
            #expect(status.clusters.map(\.activeRequests) == [0, 0])
        }
        try await silent.stop()
        try await reset.stop()
    }

    @Test("an endpoint that fails its probes is not healthy, and a cluster of such ones is in a panic")
    func probes() async throws {
        let sick = try await TestUpstream.start(answer: { _ in TestUpstream.Response(status: .serviceUnavailable) })
        let configuration = Self.configuration([sick.endpoint]) {
            $0.healthCheck = HealthCheck(path: "/ready")
            $0.healthCheck?.interval = .milliseconds(5)
        }
        try await withProxy(configuration) { proxy, _ in
            let cluster = try await Self.status(of: proxy) { $0.clusters[0].endpoints[0].isHealthy == false }.clusters[0]
            #expect(!cluster.endpoints[0].isAvailable && cluster.endpoints[0].ejectedFor == nil && cluster.isPanicking)
        }
        try await sick.stop()
    }

    @Test("after a reload the clusters are those of the new configuration")
    func reloaded() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(Self.configuration([upstream.endpoint]), threads: 2) { proxy, port in
            _ = try await RawClient.connect(port: port).get("/")
            #expect(try await proxy.status().clusters[0].endpoints[0].idleConnections == 1)
            let next = Cluster(name: "next", endpoints: [Endpoint(host: "127.0.0.1", port: 9)])
            try await proxy.reload(
                ProxyConfiguration(clusters: [next], routes: [Route(name: "all", path: .prefix("/"), target: .cluster("next"))]))
            let clusters = try await proxy.status().clusters
            #expect(clusters.map(\.name) == ["next"] && clusters[0].endpoints.map(\.endpoint) == next.endpoints)
            #expect(clusters[0].endpoints[0].idleConnections == 0)
        }
        try await upstream.stop()
    }

    @Test("a proxy that drains says so as long as something is under way; one that has ended is not asked in vain")
    func draining() async throws {
        let answer = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
        let upstream = try await TestUpstream.start(later: { _ in answer.futureResult })
        let proxy = try await ProxyServer(
            configuration: Self.configuration([upstream.endpoint]), threads: 2, logger: Logger(label: "test"))
        let port = try await proxy.start(host: "127.0.0.1", port: 0)
        let client = try await RawClient.connect(port: port)
        try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try await Self.status(of: proxy) { $0.activeRequests == 1 }
        async let drained: Void = proxy.drain(within: .minutes(1))
        let status = try await Self.status(of: proxy) { $0.isDraining }
        #expect(status.activeRequests == 1 && status.clientConnections == 1)
        answer.succeed(TestUpstream.Response())
        #expect(try await client.response().status == 200)
        try await client.close()
        try await drained
        await #expect(throws: ProxyServerError.self) { try await proxy.status() }
        await #expect(throws: ProxyServerError.self) { try await proxy.connectionCount() }
        try await upstream.stop()
    }
}
