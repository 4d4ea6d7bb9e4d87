import NIOCore
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Large bodies", .timeLimit(.minutes(2)))
struct StreamingTests {
    private static let size = 50 << 20
    /// Socket buffers of two connections (the kernel grows them to several megabytes) and the proxy's own marks.
    private static let bound = 24 << 20

    /// Writes `count` bytes as fast as the channel takes them, and counts what it took.
    static func pour(_ count: Int, into channel: any Channel, _ poured: Counter) {
        let piece = ByteBuffer(repeating: 0x61, count: 64 << 10)
        @Sendable func next(_ left: Int) {
            guard left > 0 else { return }
            channel.writeAndFlush(piece).whenSuccess {
                poured.increment(by: piece.readableBytes)
                next(left - piece.readableBytes)
            }
        }
        next(count)
    }

    @Test("a response of 50 MB waits for a client that does not read, and arrives whole when it does")
    func download() async throws {
        let poured = Counter()
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(Self.size)\r\n\r\n"), promise: nil)
            Self.pour(Self.size, into: channel, poured)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port, reads: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let held = try await Self.settled(poured)
            #expect(held > 0 && held < Self.bound, "\(held) bytes left the upstream although nobody reads")
            try await client.startReading()
            let received = try await client.receive(bytes: Self.size)
            #expect(received >= Self.size)
        }
        #expect(poured.value == Self.size)
        try await upstream.stop()
    }

    @Test("a request of 50 MB waits for an upstream that does not read, and arrives whole when it does", arguments: [false, true])
    func upload(isChunked: Bool) async throws {
        let poured = Counter()
        let received = Counter()
        let opened = Collector<any Channel>()
        let total = isChunked ? Self.size / (64 << 10) * (64 << 10) : Self.size
        let upstream = try await RawUpstream.start { channel, _, text in
            received.increment(by: text.utf8.count)
            if opened.values.isEmpty {
                opened.append(channel)
                channel.setOption(.autoRead, value: false).whenComplete { _ in }
            }
            if text.hasSuffix("!") || text.hasSuffix("0\r\n\r\n") {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), promise: nil)
            }
        }
        try await withProxy(everything(to: upstream.endpoint, maximumBodyBytes: Self.size + 1)) { _, port in
            let client = try await RawClient.connect(port: port)
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(total + 1)"
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
            try await eventually { !opened.values.isEmpty }
            if isChunked { try await client.send(String(total, radix: 16) + "\r\n") }
            Self.pour(total, into: client.channel, poured)
            let held = try await Self.settled(poured)
            #expect(held > 0 && held < Self.bound, "\(held) bytes left the client although nobody reads")
            try await opened.values[0].setOption(.autoRead, value: true).get()
            while poured.value < total { try await Self.pause() }
            try await client.send(isChunked ? "\r\n0\r\n\r\n" : "!")
            #expect(try await client.response().status == 200)
        }
        #expect(received.value > total)
        try await upstream.stop()
    }

    /// The count after it has stopped growing for a while: the flow is then held up somewhere.
    static func settled(_ counter: Counter) async throws -> Int {
        var last = -1
        var quiet = 0
        while quiet < 20 {
            try await pause()
            quiet = counter.value == last && last > 0 ? quiet + 1 : 0
            last = counter.value
        }
        return last
    }

    /// Lets other event loops work for ten milliseconds.
    private static func pause() async throws {
        try await MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
    }
}
