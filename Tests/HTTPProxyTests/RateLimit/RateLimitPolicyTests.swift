import NIOCore
import Synchronization
import Testing

@testable import HTTPProxy

@Suite("Rate limits", .timeLimit(.minutes(1)))
struct RateLimitPolicyTests {
    /// A clock that a test moves.
    private final class Clock: Sendable {
        private let seconds = Mutex<Int64>(0)
        var now: NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds.withLock { $0 }) }
        func advance(_ count: Int64) { seconds.withLock { $0 += count } }
    }

    private func policy(_ limits: RateLimit..., memory: RateLimitMemory = RateLimitMemory(capacity: 512), clock: Clock) -> RateLimitPolicy {
        RateLimitPolicy(limits, of: "all", memory: memory, typePrefix: "urn:test:", clock: { clock.now })
    }

    /// Runs a proxy that believes its peer about the client's address, so that a test may come from everywhere.
    private func withLimited(
        _ policies: [any RequestPolicy], threads: Int = 1, _ body: (RawClient, Int) async throws -> Void
    ) async throws {
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint, policies: policies)
        configuration.trustedProxies = [AddressRange("127.0.0.1")!]
        try await withProxy(configuration, threads: threads) { _, port in
            try await body(try await RawClient.connect(port: port), port)
        }
        try await upstream.stop()
    }

    private func from(_ address: String) -> String { "X-Forwarded-For: \(address)\r\n" }

    @Test("every answer tells the quota and what is left; beyond it 429 with a problem document, and when to come again")
    func whole() async throws {
        let clock = Clock()
        let limit = RateLimit(name: "few", quota: 6, window: .seconds(60), burst: 2, key: .address)
        try await withLimited([policy(limit, clock: clock)]) { (client: RawClient, _) async throws in
            for (left, time) in [(1, 10), (0, 20)] {
                let response = try await client.get("/")
                #expect(response.status == 200)
                #expect(response["ratelimit-policy"] == "\"few\";q=6;w=60")
                #expect(response["ratelimit"] == "\"few\";r=\(left);t=\(time)")
            }
            let refused = try await client.get("/")
            #expect(refused.status == 429 && refused["retry-after"] == "10")
            #expect(refused["ratelimit-policy"] == "\"few\";q=6;w=60" && refused["ratelimit"] == "\"few\";r=0;t=10")
            #expect(refused["content-type"] == "application/problem+json")
            #expect(
                refused.body.contains("\"type\":\"urn:test:quota-exceeded\"") && refused.body.contains("\"violated-policies\":[\"few\"]"))
            #expect(refused.body.contains("\"error\":\"Too many requests: try again in 10 seconds\""))
            clock.advance(9)
            #expect(try await client.get("/").status == 429)
            clock.advance(1)
            #expect(try await client.get("/").status == 200)
            #expect(try await client.get("/").status == 429)
        }
    }

    @Test("each address has its own; of IPv6 its first 64 bits, of IPv4 in IPv6 the IPv4 one")
    func addresses() async throws {
        let limit = RateLimit(name: "one", quota: 1, window: .seconds(60), key: .address)
        try await withLimited([policy(limit, clock: Clock())]) { (client: RawClient, _) async throws in
            let rows = [
                ("203.0.113.1", 200), ("203.0.113.1", 429), ("203.0.113.2", 200), ("::ffff:203.0.113.2", 429),
                ("2001:db8:0:1::1", 200), ("2001:db8:0:1:ffff::9", 429), ("2001:db8:0:2::1", 200),
            ]
            for (address, status) in rows { #expect(try await client.get("/", from(address)).status == status, "\(address)") }
        }
    }

    @Test("several hold together, and one that refuses lets none of the others count")
    func several() async throws {
        let clock = Clock()
        let fast = RateLimit(name: "fast", quota: 2, window: .seconds(1), key: .address)
        let slow = RateLimit(name: "slow", quota: 4, window: .seconds(100), key: .address)
        try await withLimited([policy(fast, slow, clock: clock)]) { (client: RawClient, _) async throws in
            let first = try await client.get("/")
            #expect(first["ratelimit-policy"] == "\"fast\";q=2;w=1, \"slow\";q=4;w=100")
            #expect(first["ratelimit"] == "\"fast\";r=1;t=1, \"slow\";r=3;t=25")
            #expect(try await client.get("/").status == 200)
            for _ in 0..<10 {
                let refused = try await client.get("/")
                #expect(refused.status == 429 && refused.body.contains("[\"fast\"]"))
            }
            clock.advance(1)
            for _ in 0..<2 { #expect(try await client.get("/").status == 200) }
            clock.advance(1)
            for _ in 0..<3 {
                let refused = try await client.get("/")
                #expect(refused.status == 429 && refused.body.contains("[\"slow\"]") && refused["retry-after"] == "23")
            }
            clock.advance(23)
            #expect(try await client.get("/")["ratelimit"] == "\"fast\";r=1;t=1, \"slow\";r=0;t=100")
        }
    }

    @Test("by user: whoever is signed in from wherever; by token: whatever was sent; by route: all together")
    func keys() async throws {
        let signIn = FunctionPolicy { request, _ in request.head.first("x-user").map { .nextAs(user: $0) } ?? .next }
        func limit(_ key: RateLimit.Key) -> RateLimit { RateLimit(name: "one", quota: 1, window: .seconds(60), key: key) }
        let rows: [(RateLimit.Key, [(String, Int)])] = [
            (
                .user,
                [
                    (from("203.0.113.1") + "X-User: 7\r\n", 200), (from("203.0.113.2") + "X-User: 7\r\n", 429),
                    (from("203.0.113.1") + "X-User: 8\r\n", 200), (from("203.0.113.1"), 200), (from("203.0.113.1"), 429),
                ]
            ),
            (
                .token,
                [
                    (from("203.0.113.1") + "Authorization: Bearer a\r\n", 200), (from("203.0.113.2") + "Authorization: Bearer a\r\n", 429),
                    (from("203.0.113.1") + "Authorization: Bearer b\r\n", 200), (from("203.0.113.1"), 200), (from("203.0.113.1"), 429),
                ]
            ),
            (.route, [(from("203.0.113.1"), 200), (from("203.0.113.2"), 429)]),
        ]
        for (key, requests) in rows {
            try await withLimited([signIn, policy(limit(key), clock: Clock())]) { (client: RawClient, _) async throws in
                for (fields, status) in requests { #expect(try await client.get("/", fields).status == status, "\(key) \(fields)") }
            }
        }
    }

    @Test("limits of other routes and names are others, also in one memory")
    func separate() async throws {
        let (clock, memory) = (Clock(), RateLimitMemory(capacity: 512))
        func limit(_ name: String) -> RateLimit { RateLimit(name: name, quota: 1, window: .seconds(60), key: .address) }
        for (route, name) in [("a", "x"), ("b", "x"), ("a", "y")] {
            let policy = RateLimitPolicy([limit(name)], of: route, memory: memory, typePrefix: "", clock: { clock.now })
            try await withLimited([policy]) { (client: RawClient, _) async throws in
                #expect(try await client.get("/").status == 200)
                #expect(try await client.get("/").status == 429)
            }
        }
        // A new configuration with the same limit forgives nobody.
        let again = RateLimitPolicy([limit("x")], of: "a", memory: memory, typePrefix: "", clock: { clock.now })
        try await withLimited([again]) { (client: RawClient, _) async throws in #expect(try await client.get("/").status == 429) }
    }

    @Test("connections on several event loops share one quota: of 300 requests at once exactly 100 pass")
    func loops() async throws {
        let limit = RateLimit(name: "hundred", quota: 100, window: .seconds(3_600), key: .address)
        let refused = Counter()
        let policy = RateLimitPolicy(
            [limit], of: "all", memory: RateLimitMemory(), typePrefix: "", onRefusal: { _ in refused.increment() })
        try await withLimited([policy], threads: 4) { (_, port: Int) async throws in
            let passed = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        let client = try await RawClient.connect(port: port)
                        var passed = 0
                        for _ in 0..<25 where try await client.get("/").status == 200 { passed += 1 }
                        try await client.close()
                        return passed
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(passed == 100)
        }
        #expect(refused.value == 200)
    }
}
