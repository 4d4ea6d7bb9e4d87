import NIOCore
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Connections that switch protocols", .timeLimit(.minutes(1)))
struct UpgradeTests {
    private static let request =
        "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n"
    private static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\n\r\n"

    private static func configuration(
        to endpoint: Endpoint, idle: TimeAmount? = nil, total: TimeAmount = .seconds(30)
    ) -> ProxyConfiguration {
        var configuration = everything(to: endpoint, timeouts: RouteTimeouts(idle: idle, total: total), maximumBodyBytes: 3)
        configuration.routes[0].upgrades = ["WebSocket"]
        return configuration
    }

    /// Switches, and says everything back.
    private static func echo(_ heads: Collector<String> = Collector()) async throws -> RawUpstream {
        try await RawUpstream.start { channel, _, bytes in
            guard bytes.contains("HTTP/1.1\r\n") else {
                channel.writeAndFlush(ByteBuffer(string: bytes), promise: nil)
                return
            }
            heads.append(bytes)
            channel.writeAndFlush(ByteBuffer(string: switching + "welcome"), promise: nil)
        }
    }

    @Test("after the switch bytes go both ways as they are, as many and as long as they like")
    func tunnel() async throws {
        let heads = Collector<String>()
        let upstream = try await Self.echo(heads)
        try await withProxy(Self.configuration(to: upstream.endpoint, total: .seconds(1))) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.request)
            let start = try await client.receive { $0.hasSuffix("welcome") }
            #expect(start.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            for line in ["connection: upgrade\r\n", "Upgrade: websocket\r\n", "Sec-WebSocket-Accept: a\r\n", "x-request-id: "] {
                #expect(start.contains(line), "\(start)")
            }
            // For longer than a request may take, and more than its body may have.
            let end = ContinuousClock.now + .seconds(1.2)
            var rounds = 0
            while ContinuousClock.now < end {
                rounds += 1
                let line = "GET / HTTP/1.1 is no request here \(rounds) "
                try await client.send(line)
                _ = try await client.receive { $0.hasSuffix(line) }
            }
            let before = try await client.receive(bytes: 0)
            let large = String(repeating: "x", count: 1_000_000)
            try await client.send(large)
            _ = try await client.receive(bytes: before + large.utf8.count)
            try await client.channel.close()
        }
        let head = try #require(heads.values.first)
        #expect(head.contains("connection: upgrade\r\nupgrade: websocket\r\n") && head.contains("Sec-WebSocket-Key: k\r\n"))
        #expect(!head.lowercased().contains("keep-alive"))
        try await upstream.stop()
    }

    @Test("what the client sent behind its request goes through after the switch")
    func early() async throws {
        let upstream = try await Self.echo()
        try await withProxy(Self.configuration(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.request + "early")
            #expect(try await client.receive { $0.hasSuffix("early") }.hasSuffix("welcomeearly"))
        }
        try await upstream.stop()
    }

    @Test("when the upstream ends, the client gets all that was sent and then the end; when the client ends, the upstream does")
    func ends() async throws {
        let closed = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let upstream = try await RawUpstream.start { channel, connection, _ in
            if connection == 1 { channel.closeFuture.cascade(to: closed) }
            channel.writeAndFlush(ByteBuffer(string: Self.switching + "last words"), promise: nil)
            if connection == 0 { channel.close(promise: nil) }
        }
        try await withProxy(Self.configuration(to: upstream.endpoint)) { proxy, port in
            let first = try await RawClient.connect(port: port)
            try await first.send(Self.request)
            #expect(try await first.receiveToEnd().hasSuffix("last words"))
            let second = try await RawClient.connect(port: port)
            try await second.send(Self.request)
            _ = try await second.receive { $0.hasSuffix("last words") }
            try await second.channel.close()
            try await closed.futureResult.get()
        }
        try await upstream.stop()
    }

    @Test("a tunnel in which nothing moves is cut after the idle timeout")
    func idle() async throws {
        let upstream = try await Self.echo()
        try await withProxy(Self.configuration(to: upstream.endpoint, idle: .milliseconds(100))) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.request)
            #expect(try await client.receiveToEnd().hasSuffix("welcome"))
        }
        try await upstream.stop()
    }

    @Test("a reload does not touch a tunnel")
    func reload() async throws {
        let upstream = try await Self.echo()
        try await withProxy(Self.configuration(to: upstream.endpoint)) { proxy, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.request)
            _ = try await client.receive { $0.hasSuffix("welcome") }
            try await proxy.reload(ProxyConfiguration(routes: []))
            try await client.send("still here")
            _ = try await client.receive { $0.hasSuffix("still here") }
        }
        try await upstream.stop()
    }

    @Test(
        "who may not switch is not asked to: another protocol, a body, HTTP/1.0, two wishes",
        arguments: [
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
        ])
    func refused(request: String) async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(Self.configuration(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(request)
            #expect(try await client.response().status == 200)
        }
        #expect(upstream.requests.first?.values("upgrade") == [] && upstream.requests.first?.values("connection") == [])
        try await upstream.stop()
    }

    @Test("a 101 that nobody asked for is a 502, on a route that allows it, too")
    func unasked() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: Self.switching), promise: nil)
        }
        try await withProxy(Self.configuration(to: upstream.endpoint)) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 502)
        }
        try await upstream.stop()
    }

    @Test("an upstream that does not want to switch answers as to any request, and the connection goes on")
    func declined() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(Self.configuration(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.request)
            #expect(try await client.response().status == 200)
            #expect(try await client.get("/").status == 200)
        }
        try await upstream.stop()
    }
}
