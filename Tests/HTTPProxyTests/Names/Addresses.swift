import NIOCore
import NIOPosix
import Testing

@testable import HTTPProxy

/// A name that stands for several addresses of this machine, and servers at them.
enum Addresses {
    static let name = "shop.test"

    /// Linux lets anybody listen on all of 127.0.0.0/8; others have one address there unless told otherwise.
    static let hasMany = (try? SocketAddress(ipAddress: "127.0.0.4", port: 0)).map(canBind) ?? false

    private static func canBind(_ address: SocketAddress) -> Bool {
        let bound = try? ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(to: address).wait()
        guard let bound else { return false }
        return (try? bound.close().wait()) != nil
    }

    /// Servers on one port of 127.0.0.1, 127.0.0.2 and so on, each of which answers with its address.
    static func upstreams(
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

    static func configuration(port: Int, _ change: (inout Cluster) -> Void = { _ in }) -> ProxyConfiguration {
        var configuration = everything(to: Endpoint(host: name, port: port))
        configuration.clusters[0].resolution?.interval = .milliseconds(5)
        change(&configuration.clusters[0])
        return configuration
    }

    /// Counts the changes of addresses of which all event loops have been told; with one event loop each has taken effect.
    static func observer(_ changes: Counter) -> ProxyObserver {
        ProxyObserver(incident: { if case .addressesChanged = $1 { changes.increment() } })
    }

    /// That this many requests, one after the other, are answered by all of these addresses and by no other.
    static func expect(
        _ addresses: Set<String>, in count: Int, port: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let client = try await RawClient.connect(port: port)
        var bodies: Set<String> = []
        for _ in 0..<count { bodies.insert(try await client.get("/").body) }
        try await client.close()
        #expect(bodies == addresses, sourceLocation: sourceLocation)
    }
}
