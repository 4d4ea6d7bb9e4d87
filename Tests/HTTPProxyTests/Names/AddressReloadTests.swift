import Testing

@testable import HTTPProxy

@Suite("A name with many addresses, when configurations come and go", .timeLimit(.minutes(1)))
struct AddressReloadTests {
    @Test("a new configuration waits for its names, so that no request finds one without addresses")
    func reloadWaits() async throws {
        let upstream = try await TestUpstream.start()
        let names = ScriptedResolver()
        try await withProxy(everything(to: upstream.endpoint), threads: 2, resolver: names.resolver) { proxy, port in
            let client = try await RawClient.connect(port: port)
            #expect(names.asked == [], "an address is never looked up")
            async let reload: Void = proxy.reload(Addresses.configuration(port: upstream.port))
            try await eventually { !names.asked.isEmpty }
            #expect(try await client.get("/").status == 200)
            names[Addresses.name] = .success(["127.0.0.1"])
            try await reload
            #expect(try await client.get("/").status == 200)
        }
        #expect(Set(names.asked) == [Addresses.name])
        try await upstream.stop()
    }

    @Test("an answer that comes when the name is no more in the configuration changes nothing", .enabled(if: Addresses.hasMany))
    func lateAnswer() async throws {
        let upstreams = try await Addresses.upstreams(2)
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1"], "other.test": ["127.0.0.2"]])
        let changes = Counter()
        var other = Addresses.configuration(port: upstreams[0].port)
        other.clusters = [Cluster(name: "all", endpoints: [Endpoint(host: "other.test", port: upstreams[0].port)])]
        try await withProxy(
            Addresses.configuration(port: upstreams[0].port), observer: Addresses.observer(changes), resolver: names.resolver
        ) { [other] proxy, port in
            // From now on a lookup waits for its answer.
            names[Addresses.name] = nil
            let asked = names.asked.count
            try await eventually { names.asked.count != asked }
            try await proxy.reload(other)
            names[Addresses.name] = .success(["127.0.0.9"])
            try await Addresses.expect(["127.0.0.2"], in: 5, port: port)
            // Named again it is looked up again.
            names[Addresses.name] = .success(["127.0.0.1"])
            try await proxy.reload(Addresses.configuration(port: upstreams[0].port))
            try await Addresses.expect(["127.0.0.1"], in: 5, port: port)
        }
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("of two configurations that come together the later one stays, however long its names take", .enabled(if: Addresses.hasMany))
    func order() async throws {
        let upstreams = try await Addresses.upstreams(2)
        let names = ScriptedResolver(["fast.test": ["127.0.0.2"]])
        func configuration(_ name: String) -> ProxyConfiguration { everything(to: Endpoint(host: name, port: upstreams[0].port)) }
        try await withProxy(everything(to: upstreams[0].endpoint), resolver: names.resolver) { proxy, port in
            async let slow: Void = proxy.reload(configuration("slow.test"))
            try await eventually { names.asked.contains("slow.test") }
            async let fast: Void = proxy.reload(configuration("fast.test"))
            // Long enough for it to come into force first, if it could.
            for _ in 0..<100 { _ = try await proxy.connectionCount() }
            names["slow.test"] = .success(["127.0.0.1"])
            _ = try await (slow, fast)
            try await Addresses.expect(["127.0.0.2"], in: 5, port: port)
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
        let names = ScriptedResolver([Addresses.name: ["127.0.0.1"]])
        try await withProxy(Addresses.configuration(port: upstream.port), resolver: names.resolver) { _, port in
            names[Addresses.name] = nil
            let asked = names.asked.count
            try await eventually { names.asked.count != asked }
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 200)
        }
        names[Addresses.name] = .success(["127.0.0.2"])
        try await upstream.stop()
    }
}
