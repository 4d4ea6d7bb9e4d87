import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Requests that are sent again", .timeLimit(.minutes(1)))
struct RetryTests {
    /// All requests to these endpoints in turn, and nothing else in the way.
    private static func configuration(
        _ endpoints: [Endpoint], retries: RetryPolicy = RetryPolicy(), _ change: (inout Cluster) -> Void = { _ in }
    ) -> ProxyConfiguration {
        var cluster = Cluster(name: "all", endpoints: endpoints)
        cluster.balancing = .roundRobin
        cluster.outlierDetection = nil
        cluster.breaker = nil
        change(&cluster)
        return ProxyConfiguration(
            clusters: [cluster], routes: [Route(name: "all", path: .prefix("/"), target: .cluster("all"), retries: retries)])
    }

    private static func status(_ status: HTTPResponseStatus, _ headers: HTTPHeaders = [:]) async throws -> TestUpstream {
        try await TestUpstream.start(answer: { _ in TestUpstream.Response(status: status, headers: headers) })
    }

    private static func post(_ headers: String = "") -> String {
        "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\(headers)\r\nbody"
    }

    @Test("a request for which there is no connection goes to another endpoint, a POST, too")
    func connectFailure() async throws {
        let good = try await TestUpstream.start()
        let nobody = try await Nobody.start()
        try await withProxy(Self.configuration([nobody.endpoint, good.endpoint])) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<4 {
                try await client.send(Self.post())
                #expect(try await client.response().body == "POST /orders body")
            }
        }
        #expect(good.requests.count == 4)
        try await good.stop()
        try await nobody.stop()
    }

    @Test("when an endpoint dies, all its requests go elsewhere, however many at once, and the cluster is not given up for it")
    func deadEndpoint() async throws {
        let good = try await TestUpstream.start()
        let incidents = Collector<ProxyIncident>()
        let nobody = try await Nobody.start()
        let configuration = Self.configuration([nobody.endpoint, good.endpoint]) { $0.breaker = BreakerLimits() }
        try await withProxy(configuration, observer: ProxyObserver(incident: { incidents.append($1) })) { _, port in
            var clients: [RawClient] = []
            for _ in 0..<60 { clients.append(try await RawClient.connect(port: port)) }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { [clients] tasks in
                for client in clients {
                    tasks.addTask {
                        try await client.send(Self.post())
                        return try await client.response().status
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [Int](repeating: 200, count: 60))
        }
        #expect(incidents.values.count { $0 == .retried } >= 30 && Set(incidents.values) == [.retried])
        try await good.stop()
        try await nobody.stop()
    }

    @Test(
        "a GET that is answered with 503 or 502 goes to another endpoint", arguments: [HTTPResponseStatus.serviceUnavailable, .badGateway])
    func badAnswer(status: HTTPResponseStatus) async throws {
        let bad = try await Self.status(status)
        let good = try await TestUpstream.start()
        try await withProxy(Self.configuration([bad.endpoint, good.endpoint])) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<4 { #expect(try await client.get("/").status == 200) }
        }
        #expect(bad.requests.count == 2 && good.requests.count == 4)
        try await bad.stop()
        try await good.stop()
    }

    @Test(
        "other answers are answers: 500, 504, and a 503 that says when to come back",
        arguments: [(500, nil), (504, nil), (503, "1"), (404, nil)] as [(Int, String?)])
    func answers(status: Int, retryAfter: String?) async throws {
        let headers: HTTPHeaders = retryAfter.map { ["retry-after": $0] } ?? [:]
        let upstream = try await Self.status(HTTPResponseStatus(statusCode: status), headers)
        try await withProxy(Self.configuration([upstream.endpoint])) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == status)
        }
        #expect(upstream.requests.count == 1)
        try await upstream.stop()
    }

    @Test("a POST is sent once; with an Idempotency-Key again, with all of its body")
    func keyed() async throws {
        let calls = Counter()
        let upstream = try await TestUpstream.start(answer: { request in
            calls.increment() % 3 == 0
                ? TestUpstream.Response(body: request.body) : TestUpstream.Response(status: .serviceUnavailable)
        })
        try await withProxy(Self.configuration([upstream.endpoint])) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.post())
            #expect(try await client.response().status == 503)
            #expect(upstream.requests.count == 1)
            try await client.send(Self.post("Idempotency-Key: k\r\n"))
            // The second and the third call.
            let response = try await client.response()
            #expect(response.status == 200 && response.body == "body")
        }
        #expect(upstream.requests.map(\.body) == ["body", "body", "body"])
        try await upstream.stop()
    }

    @Test("a body that is too long to keep is sent once, however harmless the request")
    func longBody() async throws {
        let upstream = try await Self.status(.serviceUnavailable)
        var retries = RetryPolicy()
        retries.maximumBodyBytes = 3
        // Not before the connection is there: what waits for one is kept in any case.
        try await withProxy(Self.configuration([upstream.endpoint], retries: retries)) { _, port in
            let client = try await RawClient.connect(port: port)
            _ = try await client.get("/")
            let before = upstream.requests.count
            try await client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
            try await client.send("body")
            #expect(try await client.response().status == 503)
            #expect(upstream.requests.count == before + 1)
        }
        try await upstream.stop()
    }

    @Test("an upstream that hangs up without a word is asked twice more")
    func hangsUp() async throws {
        let asked = Counter()
        let upstream = try await RawUpstream.start { channel, _, _ in
            asked.increment()
            channel.close(promise: nil)
        }
        try await withProxy(Self.configuration([upstream.endpoint])) { _, port in
            let client = try await RawClient.connect(port: port)
            #expect(try await client.get("/").status == 502)
            #expect(asked.value == 3)
            try await client.send(Self.post())
            #expect(try await client.response().status == 502)
            #expect(asked.value == 4)
        }
        try await upstream.stop()
    }

    @Test("when everything fails, retries stay within their budget")
    func budget() async throws {
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let arrived = Counter()
        // All requests are there before the first is answered, so that all want to be sent again at once.
        let upstream = try await TestUpstream.start(later: { _ in
            if arrived.increment() == 100 { gate.succeed() }
            return gate.futureResult.map { TestUpstream.Response(status: .serviceUnavailable) }
        })
        let retried = Counter()
        let observer = ProxyObserver(incident: { _, incident in if incident == .retried { retried.increment() } })
        var retries = RetryPolicy()
        retries.firstPause = .seconds(1)
        retries.longestPause = .seconds(1)
        try await withProxy(Self.configuration([upstream.endpoint], retries: retries), observer: observer) { _, port in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<100 { tasks.addTask { try await RawClient.connect(port: port).get("/").status } }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [Int](repeating: 503, count: 100))
        }
        // A fifth of a hundred at once, and as those end some more: never more than a fifth of what is left, and three.
        #expect(retried.value >= 20 && retried.value <= 60, "\(retried.value)")
        #expect(upstream.requests.count == 100 + retried.value)
        try await upstream.stop()
    }

    @Test("an endpoint that fails five times in a row gets no more requests, and is told of")
    func ejected() async throws {
        let bad = try await Self.status(.internalServerError)
        let good = try await TestUpstream.start()
        let incidents = Collector<ProxyIncident>()
        let configuration = Self.configuration([bad.endpoint, good.endpoint]) { $0.outlierDetection = OutlierDetection() }
        try await withProxy(configuration, threads: 2, observer: ProxyObserver(incident: { incidents.append($1) })) { _, port in
            for _ in 0..<3 {
                let client = try await RawClient.connect(port: port)
                for _ in 0..<20 { _ = try await client.get("/") }
            }
        }
        #expect(bad.requests.count == 5 && good.requests.count == 55)
        #expect(incidents.values == [.ejected(bad.endpoint, for: .seconds(30))])
        try await bad.stop()
        try await good.stop()
    }

    @Test("an endpoint that fails its probes gets nothing until it passes them again")
    func probed() async throws {
        let isWell = Counter()
        let sick = try await TestUpstream.start(answer: { request in
            request.head.uri == "/ready" && isWell.value == 0
                ? TestUpstream.Response(status: .serviceUnavailable) : TestUpstream.Response(body: "first")
        })
        let well = try await TestUpstream.start(answer: { _ in TestUpstream.Response(body: "second") })
        let (incidents, incident) = AsyncStream<ProxyIncident>.makeStream()
        let configuration = Self.configuration([sick.endpoint, well.endpoint]) { cluster in
            cluster.healthCheck = HealthCheck(path: "/ready")
            cluster.healthCheck?.interval = .milliseconds(5)
        }
        try await withProxy(configuration, observer: ProxyObserver(incident: { incident.yield($1) })) { _, port in
            var found = incidents.makeAsyncIterator()
            #expect(await found.next() == .failedProbes(sick.endpoint))
            let client = try await RawClient.connect(port: port)
            for _ in 0..<4 { #expect(try await client.get("/").body == "second") }
            isWell.increment()
            #expect(await found.next() == .recovered(sick.endpoint))
            let (one, other) = (try await client.get("/").body, try await client.get("/").body)
            #expect(Set([one, other]) == ["first", "second"])
        }
        try await sick.stop()
        try await well.stop()
    }

    @Test("a cluster that nobody can connect to is not asked for a while, and its requests are told so")
    func breakerOpens() async throws {
        let nobody = try await Nobody.start()
        let incidents = Collector<ProxyIncident>()
        let configuration = Self.configuration([nobody.endpoint], retries: .none) { cluster in
            cluster.breaker = BreakerLimits()
            cluster.breaker?.firstOpenTime = .hours(1)
            cluster.breaker?.maximumOpenTime = .hours(1)
        }
        try await withProxy(configuration, observer: ProxyObserver(incident: { incidents.append($1) })) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<5 { #expect(try await client.get("/").status == 503) }
            let refused = try await client.get("/")
            #expect(refused.status == 503 && refused["retry-after"] == "1" && refused.body.contains("urn:souk:problem:unavailable"))
            #expect(incidents.values == [.breakerOpened, .refusedByBreaker])
        }
        try await nobody.stop()
    }

    @Test("after that while it is asked again, and when it is well everything is as before")
    func breakerCloses() async throws {
        let isWell = Counter()
        let upstream = try await TestUpstream.start(answer: { _ in TestUpstream.Response(status: isWell.value > 0 ? .ok : .gatewayTimeout) }
        )
        let incidents = Collector<ProxyIncident>()
        let configuration = Self.configuration([upstream.endpoint], retries: .none) { cluster in
            cluster.breaker = BreakerLimits()
            cluster.breaker?.minimumRequests = 5
            cluster.breaker?.firstOpenTime = .milliseconds(1)
        }
        try await withProxy(configuration, observer: ProxyObserver(incident: { incidents.append($1) })) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<5 { #expect(try await client.get("/").status == 504) }
            isWell.increment()
            while !incidents.values.contains(.breakerClosed) { _ = try await client.get("/") }
            #expect(incidents.values.filter { $0 != .refusedByBreaker } == [.breakerOpened, .breakerHalfOpened, .breakerClosed])
            #expect(try await client.get("/").status == 200)
        }
        try await upstream.stop()
    }

    @Test("requests with the same key meet at one endpoint")
    func sticky() async throws {
        let names = ["a", "b", "c"]
        var upstreams: [TestUpstream] = []
        for name in names { upstreams.append(try await TestUpstream.start(answer: { _ in TestUpstream.Response(body: name) })) }
        let configuration = Self.configuration(upstreams.map(\.endpoint)) { $0.balancing = .consistentHash(by: .header("X-Cart")) }
        try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port)
            var found: Set<String> = []
            for cart in 0..<20 {
                var bodies: Set<String> = []
                for _ in 0..<3 {
                    try await client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Cart: \(cart)\r\n\r\n")
                    bodies.insert(try await client.response().body)
                }
                #expect(bodies.count == 1)
                found.formUnion(bodies)
            }
            #expect(found == Set(names))
        }
        for upstream in upstreams { try await upstream.stop() }
    }
}
