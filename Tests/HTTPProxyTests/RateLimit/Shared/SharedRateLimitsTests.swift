import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import HTTPProxy

@Suite("Limits that are shared through a Redis server", .timeLimit(.minutes(2)))
struct SharedRateLimitsTests {
    private let limit = RateLimit(name: "few", quota: 5, window: .seconds(86_400), key: .address)

    /// One of several gateways, without its sockets.
    private final class Gateway: Sendable {
        let limits: SharedRateLimits
        private let limit: RateLimit
        private let policy: RateLimitPolicy
        private let head: RequestHead
        private let exchanges = Signal()
        private let failures = Signal()
        let untold = Counter()

        init(
            _ limit: RateLimit, of route: String = "all", server: RedisAddress, secret: String = "a shared secret",
            memory: RateLimitMemory = RateLimitMemory()
        ) throws {
            head = try .reading(["GET / HTTP/1.1", "Host: a"])
            self.limit = limit
            limits = SharedRateLimits(
                memory, server: server, secret: secret, interval: .milliseconds(10), logger: Logger(label: "test"),
                observe: { [exchanges, failures, untold] event in
                    switch event {
                    case .exchanged: exchanges.give()
                    case .failed: failures.give()
                    case .untold(let requests): untold.increment(by: requests)
                    }
                })
            policy = RateLimitPolicy([limit], of: route, memory: memory, typePrefix: "")
        }

        /// Whether a request from an address passes.
        func passes(from address: String = "203.0.113.1") -> Bool {
            var request = RequestContext(head: head, routeName: "all", clientAddress: address, requestID: "1")
            return if case .next = policy.decide(&request, on: EmbeddedEventLoop()) { true } else { false }
        }

        /// How many of so many requests pass.
        func passed(of count: Int, from address: String = "203.0.113.1") -> Int {
            (0..<count).count { _ in passes(from: address) }
        }

        /// Completes when what was taken before is told, and what others have told before is known: the exchange that is under way may have begun too
        /// early for that.
        func exchanged() async { await exchanges.wait(2) }

        func failed() async { await failures.wait(1) }
    }

    private func running(_ gateways: [Gateway], _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for gateway in gateways { group.addTask { await gateway.limits.run() } }
            try await body()
            group.cancelAll()
        }
    }

    @Test("what passed at one has passed at all; what is another limit, or another caller, has its own")
    func shared() async throws {
        try await RedisServer.run { server in
            let gateways = try (0..<3).map { _ in try Gateway(limit, server: server.address) }
            var other = limit
            other.burst = 6
            let others = [
                (try Gateway(limit, of: "another", server: server.address), 5), (try Gateway(other, server: server.address), 6),
                (try Gateway(limit, server: server.address, secret: "another secret"), 5),
            ]
            try await running(gateways + others.map(\.0)) {
                #expect(gateways[0].passed(of: 4) == 4)
                await gateways[0].exchanged()
                // It learns about a caller with the first request.
                #expect(gateways[1].passes())
                await gateways[1].exchanged()
                #expect(gateways[1].passed(of: 9) == 0)
                #expect(gateways[2].passes())
                await gateways[2].exchanged()
                #expect(gateways[2].passed(of: 9) == 0)
                // The first learns with its next request, of which it has one.
                #expect(gateways[0].passed(of: 1) == 1)
                await gateways[0].exchanged()
                #expect(gateways[0].passed(of: 9) == 0)
                #expect(gateways[2].passed(of: 9, from: "203.0.113.2") == 5)
                for (gateway, burst) in others {
                    #expect(gateway.passes())
                    await gateway.exchanged()
                    #expect(gateway.passed(of: 9) == burst - 1)
                }
            }
        }
    }

    @Test("without the server each limits by itself, by what it knew; once it is back, empty, they share again and nobody has a new burst")
    func away() async throws {
        try await RedisServer.run { server in
            let gateways = try (0..<2).map { _ in try Gateway(limit, server: server.address) }
            try await running(gateways) {
                #expect(gateways[0].passed(of: 9) == 5)
                await gateways[0].exchanged()
                #expect(gateways[1].passes())
                await gateways[1].exchanged()
                server.kill()
                for gateway in gateways {
                    await gateway.failed()
                    #expect(!gateway.limits.status.isShared)
                    let failure = gateway.limits.status.failure
                    #expect(failure == "it closed the connection" || failure == "no connection: Connection refused")
                    #expect(gateway.passed(of: 9) == 0)
                    #expect(gateway.passed(of: 9, from: "203.0.113.2") == 5)
                }
                try await server.start()
                for gateway in gateways {
                    await gateway.exchanged()
                    #expect(gateway.limits.status == SharedRateLimits.Status(isShared: true))
                    #expect(gateway.passed(of: 9) == 0)
                    #expect(gateway.passed(of: 9, from: "203.0.113.2") == 0)
                }
                #expect(gateways[0].passed(of: 9, from: "203.0.113.3") == 5)
                await gateways[0].exchanged()
                #expect(gateways[1].passes(from: "203.0.113.3"))
                await gateways[1].exchanged()
                #expect(gateways[1].passed(of: 9, from: "203.0.113.3") == 0)
            }
        }
    }

    @Test("a server that hangs holds up no request; it is given up after a second, and taken again when it answers")
    func hangs() async throws {
        try await RedisServer.run { server in
            let gateway = try Gateway(limit, server: server.address)
            try await running([gateway]) {
                await gateway.exchanged()
                server.suspend()
                await gateway.failed()
                #expect(gateway.limits.status.failure?.contains("in time") == true)
                #expect(gateway.passed(of: 9) == 5)
                server.resume()
                await gateway.exchanged()
                #expect(gateway.limits.status.isShared)
                #expect(gateway.passed(of: 9) == 0)
            }
        }
    }

    @Test("what answers there and is no Redis server is said to be none")
    func nonsense() async throws {
        let other = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"), promise: nil)
        }
        let gateway = try Gateway(limit, server: RedisAddress(host: "127.0.0.1", port: other.endpoint.port))
        try await running([gateway]) {
            await gateway.failed()
            #expect(gateway.limits.status == SharedRateLimits.Status(isShared: false, failure: "\(RedisError.notRedis)"))
            #expect(gateway.passed(of: 9) == 5)
        }
        try await other.stop()
    }

    @Test("a thousand callers and more are told of in pieces; those for whom there is no room count here alone")
    func many() async throws {
        try await RedisServer.run { server in
            let once = RateLimit(name: "once", quota: 1, window: .seconds(86_400), key: .address)
            let small = try Gateway(once, server: server.address, memory: RateLimitMemory(capacity: 512))
            let gateways = [try Gateway(once, server: server.address), try Gateway(once, server: server.address), small]
            let addresses = (0..<2_500).map { "203.0.\($0 / 250).\($0 % 250)" }
            for address in addresses { #expect(gateways[0].passes(from: address)) }
            for address in addresses { _ = small.passes(from: address) }
            try await running(gateways) {
                for gateway in gateways { await gateway.exchanged() }
                #expect(gateways[0].untold.value == 0 && small.untold.value == addresses.count - 512)
                var known = 0
                for address in addresses where gateways[1].passes(from: address) { known += 1 }
                #expect(known == addresses.count)
                await gateways[1].exchanged()
                // Two have passed where one may: for as long again as two are too many.
                for address in addresses { #expect(!gateways[1].passes(from: address)) }
            }
        }
    }
}
