import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Compressed responses", .timeLimit(.minutes(1)))
struct CompressedResponseTests {
    private static let text = String(repeating: "All work and no play. ", count: 500)

    private static func withText(
        fields: [(String, String)] = [], chunks: [String]? = nil, _ body: (ProxyServer, Int) async throws -> Void
    ) async throws {
        let upstream = try await TestUpstream.start(answer: { _ in
            TestUpstream.Response(
                headers: HTTPHeaders([("content-type", "text/plain"), ("vary", "accept-language")] + fields), body: Self.text,
                chunks: chunks)
        })
        var configuration = everything(to: upstream.endpoint)
        configuration.http2.isCleartextAllowed = true
        try await withProxy(configuration, body)
        try await upstream.stop()
    }

    /// The chunks of a body, put together.
    private static func unchunked(_ body: ByteBuffer) -> ByteBuffer {
        var decoder = BodyDecoder(framing: .chunked, allowsChunkExtensions: false)
        var (rest, all) = (body, ByteBuffer())
        while case .data(let piece) = decoder.next(&rest) { all.writeImmutableBuffer(piece) }
        return all
    }

    private static func body(of message: ByteBuffer) throws -> (head: String, body: ByteBuffer) {
        let end = try #require(message.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound)
        let head = String(decoding: message.readableBytesView[..<end], as: UTF8.self)
        return (head.lowercased(), try #require(message.getSlice(at: end, length: message.writerIndex - end)))
    }

    @Test("over HTTP/1.1 they come in chunks, and are what the upstream sent", arguments: [nil, ["Once ", "and again ", Self.text]])
    func chunked(chunks: [String]?) async throws {
        try await Self.withText(chunks: chunks) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            let (head, body) = try Self.body(of: try await client.bytesToEnd())
            #expect(head.contains("content-encoding: gzip\r\n") && head.contains("transfer-encoding: chunked\r\n"))
            #expect(head.contains("vary: accept-language\r\n") && head.contains("vary: accept-encoding\r\n"))
            #expect(!head.contains("content-length"))
            #expect(CompressionTests.gunzip(Self.unchunked(body)) == (chunks?.joined() ?? Self.text))
            #expect(body.readableBytes < Self.text.utf8.count / 4)
        }
    }

    @Test("over HTTP/1.0 they end with the connection")
    func untilClose() async throws {
        try await Self.withText { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
            let (head, body) = try Self.body(of: try await client.bytesToEnd())
            #expect(head.contains("content-encoding: gzip\r\n") && !head.contains("chunked"))
            #expect(CompressionTests.gunzip(body) == Self.text)
        }
    }

    @Test("over HTTP/2 they come in frames")
    func frames() async throws {
        try await Self.withText { _, port in
            let client = try await HTTP2Client.connect(port: port)
            let packed = try await client.get("/", [("accept-encoding", "gzip")])
            #expect(packed["content-encoding"] == "gzip" && packed["content-length"] == nil && packed.isEnded)
            #expect(CompressionTests.gunzip(packed.bytes) == Self.text)
            let plain = try await client.get("/")
            #expect(plain.body == Self.text && plain["content-encoding"] == nil)
            #expect(plain.head[canonicalForm: "vary"] == ["accept-language", "accept-encoding"])
        }
    }

    @Test("HEAD is answered with the same fields and no body")
    func head() async throws {
        try await Self.withText { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("HEAD / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
            let answer = try await client.response(isHead: true)
            #expect(answer["content-encoding"] == "gzip" && answer["content-length"] == nil && answer["transfer-encoding"] == nil)
            // Nothing stands between this answer and the next.
            #expect(try await client.get("/").body == Self.text)
        }
    }

    @Test("a piece that the upstream sends can be read before the next one comes")
    func streamed() async throws {
        let channels = Collector<any Channel>()
        let upstream = try await RawUpstream.start { channel, _, _ in
            channels.append(channel)
            channel.writeAndFlush(
                ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
                promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            // An empty stored block ends each flush (RFC 1951 section 3.2.4).
            try await client.receive { $0.contains("\r\n\r\n") && $0.utf8.count > 100 && $0.hasSuffix("\r\n") }
            try await channels.values[0].writeAndFlush(ByteBuffer(string: "6\r\nsecond\r\n0\r\n\r\n"))
            let (_, body) = try Self.body(of: try await client.bytesToEnd())
            #expect(CompressionTests.gunzip(Self.unchunked(body)) == "firstsecond")
        }
        try await upstream.stop()
    }

    @Test("encoders are given back, however the response ends")
    func givenBack() async throws {
        let upstream = try await RawUpstream.start { channel, _, text in
            channel.writeAndFlush(
                ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
                promise: nil)
            if text.hasPrefix("GET /broken") { channel.close(promise: nil) }
            if text.hasPrefix("GET /whole") { channel.writeAndFlush(ByteBuffer(string: "0\r\n\r\n"), promise: nil) }
        }
        var configuration = everything(to: upstream.endpoint)
        configuration.http2.isCleartextAllowed = true
        try await withProxy(configuration) { _, port in
            let client = try await HTTP2Client.connect(port: port)
            func ask(_ path: String) async throws -> HTTP2ClientStream {
                let stream = try await client.open(HTTP2Client.head("GET", path, [("accept-encoding", "gzip")]))
                let answer = try await stream.receive { $0.status == 200 }
                #expect(answer["content-encoding"] == "gzip", "\(path)")
                return stream
            }
            // Each more often than encoders may be at work at a time.
            for _ in 0...GzipEncoders.maximumAtWork {
                #expect(try await ask("/whole").response().isEnded)
                #expect(try await ask("/broken").response().reset == .internalError)
                try await ask("/endless").send(.rstStream(.cancel))
            }
            try await client.close()
        }
        try await upstream.stop()
    }

    @Test("a route that compresses nothing passes on what came")
    func off() async throws {
        let upstream = try await TestUpstream.start(answer: { _ in
            TestUpstream.Response(headers: ["content-type": "text/plain"], body: Self.text)
        })
        var configuration = everything(to: upstream.endpoint)
        configuration.routes[0].compression = nil
        try await withProxy(configuration) { _, port in
            let answer = try await RawClient.connect(port: port).get("/", "Accept-Encoding: gzip\r\n")
            #expect(answer.body == Self.text && answer["vary"] == nil)
        }
        try await upstream.stop()
    }
}
