import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Flow control of HTTP/2", .timeLimit(.minutes(2)))
struct HTTP2FlowTests {
    private static let size = 50 << 20
    /// Socket buffers on the way (the kernel grows them to several megabytes) and the proxy's own marks.
    private static let bound = 24 << 20

    private static func configuration(to endpoint: Endpoint) -> ProxyConfiguration {
        var configuration = everything(to: endpoint, maximumBodyBytes: size)
        configuration.http2.isCleartextAllowed = true
        return configuration
    }

    @Test("a stream whose client does not read holds up its upstream, and no other stream")
    func download() async throws {
        let poured = Counter()
        let upstream = try await RawUpstream.start { channel, _, text in
            guard text.hasPrefix("GET /large") else {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall"), promise: nil)
                return
            }
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(Self.size)\r\n\r\n"), promise: nil)
            StreamingTests.pour(Self.size, into: channel, poured)
        }
        try await withProxy(Self.configuration(to: upstream.endpoint)) { _, port in
            let client = try await HTTP2Client.connect(port: port)
            let large = try await client.open(HTTP2Client.head("GET", "/large"), reads: false)
            let held = try await StreamingTests.settled(poured)
            #expect(held > 0 && held < Self.bound, "\(held) bytes left the upstream although nobody reads")
            for _ in 0..<10 { #expect(try await client.get("/").body == "small") }
            try await large.startReading()
            #expect(try await large.response().body.utf8.count == Self.size)
        }
        try await upstream.stop()
    }

    @Test("a request waits for an upstream that does not read, within its window, and arrives whole when it does")
    func upload() async throws {
        let received = Counter()
        let opened = Collector<any Channel>()
        let size = 20 << 20
        let upstream = try await RawUpstream.start { channel, _, text in
            received.increment(by: text.utf8.count)
            if opened.values.isEmpty {
                opened.append(channel)
                channel.setOption(.autoRead, value: false).whenComplete { _ in }
            }
            if text.hasSuffix("!") {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), promise: nil)
            }
        }
        try await withProxy(Self.configuration(to: upstream.endpoint)) { _, port in
            let client = try await HTTP2Client.connect(port: port)
            let stream = try await client.open(HTTP2Client.head("POST", "/", [("content-length", "\(size)")]), endsStream: false)
            async let sent: Void = stream.send(String(repeating: "a", count: size - 1) + "!", endsStream: true)
            try await eventually { !opened.values.isEmpty }
            _ = try await StreamingTests.settled(received)
            #expect(received.value < size)
            try await opened.values[0].setOption(.autoRead, value: true).get()
            try await sent
            #expect(try await stream.response().status == 200)
        }
        #expect(received.value > size)
        try await upstream.stop()
    }
}
