import ChassisTesting
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import SoukCommand

/// An echo behind a link: what comes back has passed the link twice.
@Suite("A faulty link")
struct FaultyLinkTests {
    @Test("passes everything on in order while it is well")
    func well() async throws {
        try await withEcho { link, connect in
            #expect(link.condition == .well)
            let client = try await connect()
            for number in 0..<200 { try await client.send("\(number) ") }
            let all = (0..<200).map { "\($0) " }.joined()
            try await eventually("all comes back") { client.received == all }
            try await client.close()
        }
    }

    @Test("holds everything back while it is stalled, and loses nothing")
    func stalled() async throws {
        try await withEcho { link, connect in
            let client = try await connect()
            try await client.send("before ")
            try await eventually("it passes") { client.received == "before " }
            link.set(.stalled)
            try await client.send("meanwhile ")
            let late = try await connect()
            try await late.send("late")
            // A second connection through a healthy link has made its way there and back by then.
            try await withEcho { _, connect in
                let other = try await connect()
                try await other.send("other")
                try await eventually("the other passes") { other.received == "other" }
            }
            #expect(client.received == "before " && late.received == "")
            link.set(.well)
            try await eventually("it passes later") { client.received == "before meanwhile " && late.received == "late" }
        }
    }

    @Test("closes its connections when it is cut, lets none come about, and is well again afterwards")
    func cut() async throws {
        try await withEcho { link, connect in
            let client = try await connect()
            try await client.send("x")
            try await eventually("it passes") { client.received == "x" }
            link.set(.cut)
            try await eventually("the connection ends") { client.isClosed }
            let refused = try await connect()
            try await eventually("a new connection ends at once") { refused.isClosed }
            link.set(.well)
            let again = try await connect()
            try await again.send("y")
            try await eventually("it passes again") { again.received == "y" }
        }
    }

    @Test("passes everything later, in order, while it is slowed")
    func slowed() async throws {
        try await withEcho { link, connect in
            let latency = Duration.milliseconds(80)
            link.set(.slowed(by: latency))
            let client = try await connect()
            let start = ContinuousClock.now
            try await client.send("a")
            try await client.send("b")
            try await eventually("both come back") { client.received == "ab" }
            #expect(ContinuousClock.now - start >= latency * 2)
        }
    }

    @Test("ends a connection when the other side is not there")
    func nobody() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let gone = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(gone.localAddress?.port)
        try await gone.close()
        let listener = try await FaultyLink(port: port).listen(on: group)
        let client = try await EchoClient.connect(port: try #require(listener.localAddress?.port))
        try await eventually("the connection ends") { client.isClosed }
        try await listener.close()
    }

    private func withEcho(_ body: (FaultyLink, () async throws -> EchoClient) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let echo = try await ServerBootstrap(group: group)
            .childChannelInitializer { $0.pipeline.addHandler(Echo()) }
            .bind(host: "127.0.0.1", port: 0).get()
        let link = try FaultyLink(port: try #require(echo.localAddress?.port))
        let listener = try await link.listen(on: group)
        let port = try #require(listener.localAddress?.port)
        try await body(link) { try await EchoClient.connect(port: port) }
        try await listener.close()
        try await echo.close()
    }
}

private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }
}

/// One connection, and what has come back over it.
private final class EchoClient: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let state = Mutex<(text: String, channel: (any Channel)?)>(("", nil))

    static func connect(port: Int) async throws -> EchoClient {
        let client = EchoClient()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(client) }
            .connect(host: "127.0.0.1", port: port).get()
        client.state.withLock { $0.channel = channel }
        return client
    }

    var received: String { state.withLock(\.text) }
    var isClosed: Bool { state.withLock(\.channel)?.isActive == false }

    func send(_ text: String) async throws {
        try await state.withLock(\.channel)?.writeAndFlush(ByteBuffer(string: text))
    }

    func close() async throws {
        try await state.withLock(\.channel)?.close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: unwrapInboundIn(data))
        state.withLock { $0.text += text }
    }
}
