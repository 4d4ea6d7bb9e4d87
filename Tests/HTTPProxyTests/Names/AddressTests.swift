import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("A name with many addresses", .timeLimit(.minutes(1)))
struct AddressTests {
    private static let name = "shop.test"

    /// Linux lets anybody listen on all of 127.0.0.0/8; others have one address there unless told otherwise.
    private static let hasManyAddresses = (try? SocketAddress(ipAddress: "127.0.0.4", port: 0)).map(canBind) ?? false

    private static func canBind(_ address: SocketAddress) -> Bool {
        let bound = try? ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(to: address).wait()
        guard let bound else { return false }
        return (try? bound.close().wait()) != nil
    }

    /// Servers on one port of 127.0.0.1, 127.0.0.2 and so on, each of which answers with its address.
    private static func upstreams(
        _ count: Int,
        answer: @escaping @Sendable (_ address: String, TestUpstream.Request) -> TestUpstream.Response = { address, _ in
            TestUpstream.Response(body: address)
        },
        later: @escaping @Sendable (_ address: String, TestUpstream.Request) -> EventLoopFuture<TestUpstream.Response>? = { _, _ in nil }
    ) async throws -> [TestUpstream] {
        func start(_ number: Int, port: Int) async throws -> TestUpstream {
            let address = "127.0.0.\(number)"
            return try await TestUpstream.start(
                host: address, port: port, answer: { answer(address, $0) }, later: { later(address, $0) })
        }
        var last: any Error = NameResolverError("no port is free on all addresses")
        // The port that is free on the first address may be taken on another.
        for _ in 0..<20 {
            var started = [try await start(1, port: 0)]
            do {
                for number in 2...max(2, count) where number <= count { started.append(try await start(number, port: started[0].port)) }
                return started
            } catch {
                last = error
                for upstream in started { try await upstream.stop() }
            }
        }
        throw last
    }

    private static func configuration(port: Int, _ change: (inout Cluster) -> Void = { _ in }) -> ProxyConfiguration {
        var configuration = everything(to: Endpoint(host: name, port: port))
        configuration.clusters[0].resolution?.interval = .milliseconds(5)
        change(&configuration.clusters[0])
        return configuration
    }

    /// Counts the changes of addresses of which all event loops have been told; with one event loop each has taken effect.
    private static func observer(_ changes: Counter) -> ProxyObserver {
        ProxyObserver(incident: { if case .addressesChanged = $1 { changes.increment() } })
    }

    /// That this many requests, one after the other, are answered by all of these addresses and by no other.
    private static func expect(
        _ addresses: Set<String>, in count: Int, port: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let client = try await RawClient.connect(port: port)
        var bodies: Set<String> = []
        for _ in 0..<count { bodies.insert(try await client.get("/").body) }
        try await client.close()
        #expect(bodies == addresses, sourceLocation: sourceLocation)
    }

    @Test(
        "each address gets requests, from the first one on, and those that come and go do so without a reload",
        .enabled(if: hasManyAddresses))
    func comeAndGo() async throws {
        let upstreams = try await Self.upstreams(3)
        let names = ScriptedResolver([Self.name: ["127.0.0.1", "127.0.0.2"]])
        let changes = Counter()
        let configuration = Self.configuration(port: upstreams[0].port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: Self.observer(changes), resolver: names.resolver) { proxy, port in
            try await Self.expect(["127.0.0.1", "127.0.0.2"], in: 4, port: port)
            #expect(changes.value == 1)
            names[Self.name] = .success(["127.0.0.3", "127.0.0.2"])
            while changes.value < 2 { await Task.yield() }
            let status = try await proxy.status()
            #expect(status.clusters[0].endpoints.map(\.endpoint.host) == ["127.0.0.2", "127.0.0.3"])
            try await Self.expect(["127.0.0.3", "127.0.0.2"], in: 4, port: port)
            names[Self.name] = .success(["127.0.0.1"])
            while changes.value < 3 { await Task.yield() }
            try await Self.expect(["127.0.0.1"], in: 4, port: port)
        }
        // The one that stayed kept its connection, the one that came back had to be connected to again.
        #expect(upstreams.map(\.connections) == [2, 1, 1])
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("addresses that come and go under load lose no request", .enabled(if: hasManyAddresses))
    func underLoad() async throws {
        let upstreams = try await Self.upstreams(3)
        let all = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        let names = ScriptedResolver([Self.name: all])
        let (answers, changes, done, wrong) = (Counter(), Counter(), Counter(), Collector<String>())
        try await withProxy(
            Self.configuration(port: upstreams[0].port), threads: 2, observer: Self.observer(changes), resolver: names.resolver
        ) { _, port in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask { try await LifecycleTests.load(port: port, answers: answers, wrong: wrong) { done.value > 0 } }
                }
                for round in 0..<30 {
                    let seen = changes.value
                    names[Self.name] =
                        round.isMultiple(of: 5) ? .failure(NameResolverError("away")) : .success([all[round % 3], all[(round + 1) % 3]])
                    while !round.isMultiple(of: 5), changes.value == seen, wrong.values.isEmpty { await Task.yield() }
                    let target = answers.value + 20
                    while answers.value < target, wrong.values.isEmpty { await Task.yield() }
                }
                done.increment()
                try await tasks.waitForAll()
            }
        }
        #expect(wrong.values == [])
        #expect(upstreams.allSatisfy { !$0.requests.isEmpty })
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("an address that goes while it has a request still gives its answer", .enabled(if: hasManyAddresses))
    func underWay() async throws {
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let late = gate.futureResult.map { TestUpstream.Response(body: "late") }
        let upstreams = try await Self.upstreams(3, later: { address, _ in address == "127.0.0.3" ? late : nil })
        let names = ScriptedResolver([Self.name: ["127.0.0.3"]])
        let changes = Counter()
        let configuration = Self.configuration(port: upstreams[0].port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: Self.observer(changes), resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            while upstreams[2].requests.isEmpty { await Task.yield() }
            names[Self.name] = .success(["127.0.0.1", "127.0.0.2"])
            while changes.value < 2 { await Task.yield() }
            try await Self.expect(["127.0.0.1", "127.0.0.2"], in: 10, port: port)
            gate.succeed()
            #expect(try await client.response().body == "late")
        }
        #expect(upstreams[2].requests.count == 1)
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("a name that cannot be looked up at the start is a 503 until it can")
    func late() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver()
        names[Self.name] = .failure(NameResolverError("unknown"))
        let incidents = Collector<ProxyIncident>()
        try await withProxy(
            Self.configuration(port: upstream.port), observer: ProxyObserver(incident: { incidents.append($1) }), resolver: names.resolver
        ) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<30 {
                let response = try await client.get("/")
                #expect(response.status == 503 && response["retry-after"] != nil)
                #expect(response["content-type"] == "application/problem+json" && response.body.contains("urn:souk:problem:unavailable"))
            }
            names[Self.name] = .success(["127.0.0.1"])
            while !incidents.values.contains(where: { if case .addressesChanged = $0 { true } else { false } }) { await Task.yield() }
            // Nor has the breaker opened for it.
            #expect(try await client.get("/").status == 200)
        }
        #expect(incidents.values.contains(.lookupFailed(name: Self.name)))
        let came = Endpoint(address: "127.0.0.1", port: upstream.port, name: Self.name)
        #expect(incidents.values.contains(.addressesChanged(came: [came], went: [])))
        try await upstream.stop()
    }

    @Test("a lookup that fails or finds nothing leaves things as they are")
    func failing() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver([Self.name: ["127.0.0.1"]])
        try await withProxy(Self.configuration(port: upstream.port), resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            for answer in [.failure(NameResolverError("away")), .success([])] as [ScriptedResolver.Answer] {
                names[Self.name] = answer
                let asked = names.asked.count
                while names.asked.count < asked + 3 { await Task.yield() }
                #expect(try await client.get("/").status == 200)
            }
        }
        #expect(upstream.connections == 1)
        try await upstream.stop()
    }

    @Test("an endpoint that is out stays out when others come before it", .enabled(if: hasManyAddresses))
    func ejected() async throws {
        let upstreams = try await Self.upstreams(
            3,
            answer: { address, _ in
                TestUpstream.Response(status: address == "127.0.0.2" ? .internalServerError : .ok, body: address)
            })
        let names = ScriptedResolver([Self.name: ["127.0.0.2", "127.0.0.3"]])
        let changes = Counter()
        let configuration = Self.configuration(port: upstreams[0].port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: Self.observer(changes), resolver: names.resolver) { _, port in
            // Five failures in a row, and as many answers in between.
            try await Self.expect(["127.0.0.2", "127.0.0.3"], in: 10, port: port)
            try await Self.expect(["127.0.0.3"], in: 10, port: port)
            names[Self.name] = .success(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
            while changes.value < 2 { await Task.yield() }
            try await Self.expect(["127.0.0.1", "127.0.0.3"], in: 12, port: port)
        }
        #expect(upstreams[1].requests.count == 5)
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("probes go to every address, by its name, and who fails them gets no requests", .enabled(if: hasManyAddresses))
    func probed() async throws {
        let upstreams = try await Self.upstreams(
            3,
            answer: { address, request in
                let isSick = address == "127.0.0.2" && request.head.uri == "/ready"
                return TestUpstream.Response(status: isSick ? .serviceUnavailable : .ok, body: address)
            })
        let names = ScriptedResolver([Self.name: ["127.0.0.1", "127.0.0.2"]])
        let sick = Collector<Endpoint>()
        let configuration = Self.configuration(port: upstreams[0].port) {
            $0.balancing = .roundRobin
            $0.healthCheck = HealthCheck(path: "/ready")
            $0.healthCheck?.interval = .milliseconds(5)
            $0.healthCheck?.timeout = .seconds(60)
        }
        let observer = ProxyObserver(incident: { if case .failedProbes(let endpoint) = $1 { sick.append(endpoint) } })
        try await withProxy(configuration, observer: observer, resolver: names.resolver) { _, port in
            while sick.values.isEmpty { await Task.yield() }
            #expect(sick.values.map(\.host) == ["127.0.0.2"])
            names[Self.name] = .success(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
            while upstreams[2].requests.isEmpty { await Task.yield() }
            try await Self.expect(["127.0.0.1", "127.0.0.3"], in: 12, port: port)
            // Who was known before is still asked.
            let asked = upstreams[1].requests.count
            while upstreams[1].requests.count < asked + 2 { await Task.yield() }
        }
        #expect(upstreams[2].requests[0].values("host") == ["\(Self.name):\(upstreams[0].port)"])
        #expect(sick.values.count == 1)
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("when nobody listens at an address any more, the name is looked up at once", .enabled(if: hasManyAddresses))
    func movedAway() async throws {
        let nobody = try await Nobody.start()
        let upstream = try await TestUpstream.start(
            host: "127.0.0.2", port: nobody.endpoint.port, answer: { _ in TestUpstream.Response(body: "127.0.0.2") })
        let names = ScriptedResolver([Self.name: ["127.0.0.1"]])
        var configuration = Self.configuration(port: upstream.port) { $0.resolution?.interval = .hours(1) }
        configuration.routes[0].retries = .none
        try await withProxy(configuration, resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            names[Self.name] = .success(["127.0.0.2"])
            var status = try await client.get("/").status
            #expect(status == 503)
            while status == 503 { status = try await client.get("/").status }
            #expect(try await client.get("/").body == "127.0.0.2")
        }
        try await upstream.stop()
        try await nobody.stop()
    }

    @Test("a name with an address of each family is reached where something listens, as one endpoint")
    func bothFamilies() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver([Self.name: ["::1", "127.0.0.1"]])
        let reached = Collector<Endpoint?>()
        let observer = ProxyObserver(access: { reached.append($0.upstreamEndpoint) })
        let configuration = Self.configuration(port: upstream.port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: observer, resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<4 { #expect(try await client.get("/").status == 200) }
        }
        #expect(Set(reached.values.map { $0?.description }) == ["\(Self.name):\(upstream.port)"])
        #expect(upstream.connections == 1)
        try await upstream.stop()
    }

    @Test("over TLS the certificate must be for the name that was looked up")
    func serverName() async throws {
        let certificates = try TestCertificates()
        try certificates.issue("server", for: "DNS:\(Self.name)")
        let upstream = try await TestUpstream.start(tls: certificates.serverContext())
        let names = ScriptedResolver([Self.name: ["127.0.0.1"], "other.test": ["127.0.0.1"], "both.test": ["127.0.0.1", "::1"]])
        func status(_ name: String) async throws -> Int {
            var configuration = everything(to: Endpoint(host: name, port: upstream.port))
            configuration.clusters[0].tls = UpstreamTLS()
            configuration.clusters[0].tls?.authoritiesFile = certificates.file("authority.pem")
            configuration.routes[0].retries = .none
            return try await withProxy(configuration, resolver: names.resolver) { _, port in
                try await RawClient.connect(port: port).get("/").status
            }
        }
        #expect(try await status(Self.name) == 200)
        #expect(try await status("other.test") == 503)
        #expect(try await status("both.test") == 503)
        try await upstream.stop()
        try certificates.remove()
    }

    @Test("a request without a Host is sent on with the name")
    func fallbackHost() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver([Self.name: ["127.0.0.1"]])
        try await withProxy(Self.configuration(port: upstream.port), resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try await client.response().status == 200)
        }
        #expect(upstream.requests[0].values("host") == ["\(Self.name):\(upstream.port)"])
        try await upstream.stop()
    }

    // MARK: Reload

    @Test("a new configuration waits for its names, so that no request finds one without addresses")
    func reloadWaits() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver()
        try await withProxy(everything(to: upstream.endpoint), threads: 2, resolver: names.resolver) { proxy, port in
            let client = try await RawClient.connect(port: port)
            #expect(names.asked == [], "an address is never looked up")
            async let reload: Void = proxy.reload(Self.configuration(port: upstream.port))
            while names.asked.isEmpty { await Task.yield() }
            #expect(try await client.get("/").status == 200)
            names[Self.name] = .success(["127.0.0.1"])
            try await reload
            #expect(try await client.get("/").status == 200)
        }
        #expect(Set(names.asked) == [Self.name])
        try await upstream.stop()
    }

    @Test("an answer that comes when the name is no more in the configuration changes nothing", .enabled(if: hasManyAddresses))
    func lateAnswer() async throws {
        let upstreams = try await Self.upstreams(2)
        let names = ScriptedResolver([Self.name: ["127.0.0.1"], "other.test": ["127.0.0.2"]])
        let changes = Counter()
        var other = Self.configuration(port: upstreams[0].port)
        other.clusters = [Cluster(name: "all", endpoints: [Endpoint(host: "other.test", port: upstreams[0].port)])]
        try await withProxy(
            Self.configuration(port: upstreams[0].port), observer: Self.observer(changes), resolver: names.resolver
        ) { [other] proxy, port in
            // From now on a lookup waits for its answer.
            names[Self.name] = nil
            let asked = names.asked.count
            while names.asked.count == asked { await Task.yield() }
            try await proxy.reload(other)
            names[Self.name] = .success(["127.0.0.9"])
            try await Self.expect(["127.0.0.2"], in: 5, port: port)
            // Named again it is looked up again.
            names[Self.name] = .success(["127.0.0.1"])
            try await proxy.reload(Self.configuration(port: upstreams[0].port))
            try await Self.expect(["127.0.0.1"], in: 5, port: port)
        }
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("of two configurations that come together the later one stays, however long its names take", .enabled(if: hasManyAddresses))
    func order() async throws {
        let upstreams = try await Self.upstreams(2)
        let names = ScriptedResolver(["fast.test": ["127.0.0.2"]])
        func configuration(_ name: String) -> ProxyConfiguration { everything(to: Endpoint(host: name, port: upstreams[0].port)) }
        try await withProxy(everything(to: upstreams[0].endpoint), resolver: names.resolver) { proxy, port in
            async let slow: Void = proxy.reload(configuration("slow.test"))
            while !names.asked.contains("slow.test") { await Task.yield() }
            async let fast: Void = proxy.reload(configuration("fast.test"))
            // Long enough for it to come into force first, if it could.
            for _ in 0..<100 { _ = try await proxy.connectionCount() }
            names["slow.test"] = .success(["127.0.0.1"])
            _ = try await (slow, fast)
            try await Self.expect(["127.0.0.2"], in: 5, port: port)
        }
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("what is switched off resolves the name for each connection, and watches nothing")
    func switchedOff() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver()
        var configuration = everything(to: Endpoint(host: "localhost", port: upstream.port))
        configuration.clusters[0].resolution = nil
        try await withProxy(configuration, resolver: names.resolver) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 200)
        }
        #expect(names.asked == [])
        try await upstream.stop()
    }

    @Test("a drain does not wait for a lookup, and its answer harms nobody")
    func drained() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver([Self.name: ["127.0.0.1"]])
        try await withProxy(Self.configuration(port: upstream.port), resolver: names.resolver) { _, port in
            names[Self.name] = nil
            let asked = names.asked.count
            while names.asked.count == asked { await Task.yield() }
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 200)
        }
        names[Self.name] = .success(["127.0.0.2"])
        try await upstream.stop()
    }
}
