import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("A name with many addresses", .timeLimit(.minutes(1)))
struct AddressTests {
    @Test(
        "each address gets requests, from the first one on, and those that come and go do so without a reload",
        .enabled(if: Addresses.hasMany))
    func comeAndGo() async throws {
        let upstreams = try await Addresses.upstreams(3)
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1", "127.0.0.2"]])
        let changes = Counter()
        let configuration = Addresses.configuration(port: upstreams[0].port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: Addresses.observer(changes), resolver: names.resolver) { proxy, port in
            try await Addresses.expect(["127.0.0.1", "127.0.0.2"], in: 4, port: port)
            #expect(changes.value == 1)
            names[Addresses.name] = .success(["127.0.0.3", "127.0.0.2"])
            try await eventually { changes.value >= 2 }
            let status = try await proxy.status()
            #expect(status.clusters[0].endpoints.map(\.endpoint.host) == ["127.0.0.2", "127.0.0.3"])
            try await Addresses.expect(["127.0.0.3", "127.0.0.2"], in: 4, port: port)
            names[Addresses.name] = .success(["127.0.0.1"])
            try await eventually { changes.value >= 3 }
            try await Addresses.expect(["127.0.0.1"], in: 4, port: port)
        }
        // The one that stayed kept its connection, the one that came back had to be connected to again.
        #expect(upstreams.map(\.connections) == [2, 1, 1])
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("addresses that come and go under load lose no request", .enabled(if: Addresses.hasMany))
    func underLoad() async throws {
        let upstreams = try await Addresses.upstreams(3)
        let all = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        let names = ScriptedResolver([Addresses.name: all])
        let (answers, changes, done, wrong) = (Counter(), Counter(), Counter(), Collector<String>())
        try await withProxy(
            Addresses.configuration(port: upstreams[0].port), threads: 2, observer: Addresses.observer(changes), resolver: names.resolver
        ) { _, port in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask { try await LifecycleTests.load(port: port, answers: answers, wrong: wrong) { done.value > 0 } }
                }
                for round in 0..<30 {
                    let seen = changes.value
                    names[Addresses.name] =
                        round.isMultiple(of: 5) ? .failure(NameResolverError("away")) : .success([all[round % 3], all[(round + 1) % 3]])
                    try await eventually { round.isMultiple(of: 5) || changes.value != seen || !wrong.values.isEmpty }
                    let target = answers.value + 20
                    try await eventually { answers.value >= target || !wrong.values.isEmpty }
                }
                done.increment()
                try await tasks.waitForAll()
            }
        }
        #expect(wrong.values == [])
        #expect(upstreams.allSatisfy { !$0.requests.isEmpty })
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("an address that goes while it has a request still gives its answer", .enabled(if: Addresses.hasMany))
    func underWay() async throws {
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let late = gate.futureResult.map { TestUpstream.Response(body: "late") }
        let upstreams = try await Addresses.upstreams(3, later: { address, _ in address == "127.0.0.3" ? late : nil })
        let names = ScriptedResolver([Addresses.name: ["127.0.0.3"]])
        let changes = Counter()
        let configuration = Addresses.configuration(port: upstreams[0].port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: Addresses.observer(changes), resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { !upstreams[2].requests.isEmpty }
            names[Addresses.name] = .success(["127.0.0.1", "127.0.0.2"])
            try await eventually { changes.value >= 2 }
            try await Addresses.expect(["127.0.0.1", "127.0.0.2"], in: 10, port: port)
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
        names[Addresses.name] = .failure(NameResolverError("unknown"))
        let incidents = Collector<ProxyIncident>()
        try await withProxy(
            Addresses.configuration(port: upstream.port), observer: ProxyObserver(incident: { incidents.append($1) }),
            resolver: names.resolver
        ) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<30 {
                let response = try await client.get("/")
                #expect(response.status == 503 && response["retry-after"] != nil)
                #expect(response["content-type"] == "application/problem+json" && response.body.contains("urn:souk:problem:unavailable"))
            }
            names[Addresses.name] = .success(["127.0.0.1"])
            try await eventually { incidents.values.contains(where: { if case .addressesChanged = $0 { true } else { false } }) }
            // Nor has the breaker opened for it.
            #expect(try await client.get("/").status == 200)
        }
        #expect(incidents.values.contains(.lookupFailed(name: Addresses.name)))
        let came = Endpoint(address: "127.0.0.1", port: upstream.port, name: Addresses.name)
        #expect(incidents.values.contains(.addressesChanged(came: [came], went: [])))
        try await upstream.stop()
    }

    @Test("a lookup that fails or finds nothing leaves things as they are")
    func failing() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1"]])
        try await withProxy(Addresses.configuration(port: upstream.port), resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            for answer in [.failure(NameResolverError("away")), .success([])] as [ScriptedResolver.Answer] {
                names[Addresses.name] = answer
                let asked = names.asked.count
                try await eventually { names.asked.count >= asked + 3 }
                #expect(try await client.get("/").status == 200)
            }
        }
        #expect(upstream.connections == 1)
        try await upstream.stop()
    }

    @Test("an endpoint that is out stays out when others come before it", .enabled(if: Addresses.hasMany))
    func ejected() async throws {
        let upstreams = try await Addresses.upstreams(
            3,
            answer: { address, _ in
                TestUpstream.Response(status: address == "127.0.0.2" ? .internalServerError : .ok, body: address)
            })
        let names = ScriptedResolver([Addresses.name: ["127.0.0.2", "127.0.0.3"]])
        let changes = Counter()
        let configuration = Addresses.configuration(port: upstreams[0].port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: Addresses.observer(changes), resolver: names.resolver) { _, port in
            // Five failures in a row, and as many answers in between.
            try await Addresses.expect(["127.0.0.2", "127.0.0.3"], in: 10, port: port)
            try await Addresses.expect(["127.0.0.3"], in: 10, port: port)
            names[Addresses.name] = .success(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
            try await eventually { changes.value >= 2 }
            try await Addresses.expect(["127.0.0.1", "127.0.0.3"], in: 12, port: port)
        }
        #expect(upstreams[1].requests.count == 5)
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("probes go to every address, by its name, and who fails them gets no requests", .enabled(if: Addresses.hasMany))
    func probed() async throws {
        let upstreams = try await Addresses.upstreams(
            3,
            answer: { address, request in
                let isSick = address == "127.0.0.2" && request.head.uri == "/ready"
                return TestUpstream.Response(status: isSick ? .serviceUnavailable : .ok, body: address)
            })
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1", "127.0.0.2"]])
        let sick = Collector<Endpoint>()
        let configuration = Addresses.configuration(port: upstreams[0].port) {
            $0.balancing = .roundRobin
            $0.healthCheck = HealthCheck(path: "/ready")
            $0.healthCheck?.interval = .milliseconds(5)
            $0.healthCheck?.timeout = .seconds(60)
        }
        let observer = ProxyObserver(incident: { if case .failedProbes(let endpoint) = $1 { sick.append(endpoint) } })
        try await withProxy(configuration, observer: observer, resolver: names.resolver) { _, port in
            try await eventually { !sick.values.isEmpty }
            #expect(sick.values.map(\.host) == ["127.0.0.2"])
            names[Addresses.name] = .success(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
            try await eventually { !upstreams[2].requests.isEmpty }
            try await Addresses.expect(["127.0.0.1", "127.0.0.3"], in: 12, port: port)
            // Who was known before is still asked.
            let asked = upstreams[1].requests.count
            try await eventually { upstreams[1].requests.count >= asked + 2 }
        }
        #expect(upstreams[2].requests[0].values("host") == ["\(Addresses.name):\(upstreams[0].port)"])
        #expect(sick.values.count == 1)
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("when nobody listens at an address any more, the name is looked up at once", .enabled(if: Addresses.hasMany))
    func movedAway() async throws {
        let nobody = try await Nobody.start()
        let upstream = try await TestUpstream.start(
            host: "127.0.0.2", port: nobody.endpoint.port, answer: { _ in TestUpstream.Response(body: "127.0.0.2") })
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1"]])
        var configuration = Addresses.configuration(port: upstream.port) { $0.resolution?.interval = .hours(1) }
        configuration.routes[0].retries = .none
        try await withProxy(configuration, resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            names[Addresses.name] = .success(["127.0.0.2"])
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
        let names = ScriptedResolver([Addresses.name: ["::1", "127.0.0.1"]])
        let reached = Collector<Endpoint?>()
        let observer = ProxyObserver(access: { reached.append($0.upstreamEndpoint) })
        let configuration = Addresses.configuration(port: upstream.port) { $0.balancing = .roundRobin }
        try await withProxy(configuration, observer: observer, resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<4 { #expect(try await client.get("/").status == 200) }
        }
        #expect(Set(reached.values.map { $0?.description }) == ["\(Addresses.name):\(upstream.port)"])
        #expect(upstream.connections == 1)
        try await upstream.stop()
    }

    @Test("over TLS the certificate must be for the name that was looked up")
    func serverName() async throws {
        let certificates = try TestCertificates()
        try certificates.issue("server", for: "DNS:\(Addresses.name)")
        let upstream = try await TestUpstream.start(tls: certificates.serverContext())
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1"], "other.test": ["127.0.0.1"], "both.test": ["127.0.0.1", "::1"]])
        func status(_ name: String) async throws -> Int {
            var configuration = everything(to: Endpoint(host: name, port: upstream.port))
            configuration.clusters[0].tls = UpstreamTLS()
            configuration.clusters[0].tls?.authoritiesFile = certificates.file("authority.pem")
            configuration.routes[0].retries = .none
            return try await withProxy(configuration, resolver: names.resolver) { _, port in
                try await RawClient.connect(port: port).get("/").status
            }
        }
        #expect(try await status(Addresses.name) == 200)
        #expect(try await status("other.test") == 503)
        #expect(try await status("both.test") == 503)
        try await upstream.stop()
        try certificates.remove()
    }

    @Test("a request without a Host is sent on with the name")
    func fallbackHost() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1"]])
        try await withProxy(Addresses.configuration(port: upstream.port), resolver: names.resolver) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try await client.response().status == 200)
        }
        #expect(upstream.requests[0].values("host") == ["\(Addresses.name):\(upstream.port)"])
        try await upstream.stop()
    }
}
