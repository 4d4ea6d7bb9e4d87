import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

@Suite("Messages that two servers could read differently", .timeLimit(.minutes(3)))
struct DesyncTests {
    private static let follower = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test(
        "such a request is refused and its connection closed; neither it nor what follows it reaches the upstream",
        arguments: HostileRequest.all)
    func refused(_ hostile: HostileRequest) async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(hostile.text + Self.follower)
            let text = try await client.receiveToEnd()
            #expect(text.hasPrefix("HTTP/1.1 \(hostile.status) "), "\(text.prefix(400))")
            #expect(text.contains("connection: close\r\n"))
            #expect(text.ranges(of: "HTTP/1.1 ").count == 1, "one response only")
            #expect(text.contains("application/problem+json"))
        }
        #expect(upstream.requests.isEmpty)
        if !hostile.isBroken { #expect(upstream.connections == 0) }
        try await upstream.stop()
    }

    @Test("no two cases of the corpus are the same")
    func distinct() {
        #expect(Set(HostileRequest.all.map(\.name)).count == HostileRequest.all.count)
        #expect(HostileRequest.all.count > 400)
    }

    /// What looks like an attack and can be read in one way only: how often it is a request, and what the last of them brings.
    struct Harmless: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        var body = ""
        var absent: [String] = []

        var testDescription: String { name }
    }

    private static let harmless = [
        Harmless(
            name: "Connection names the length",
            text: "POST /1 HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\nContent-Length: 5\r\n\r\nhello", body: "hello"),
        Harmless(
            name: "Connection names the coding",
            text:
                "POST /1 HTTP/1.1\r\nHost: a\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            body: "hello"),
        Harmless(name: "Connection names the host", text: "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: host, x-forwarded-for\r\n\r\n"),
        Harmless(
            name: "a GET with a body", text: "GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: \(follower.utf8.count)\r\n\r\n" + follower,
            body: follower),
        Harmless(
            name: "a HEAD with a body", text: "HEAD /1 HTTP/1.1\r\nHost: a\r\nContent-Length: \(follower.utf8.count)\r\n\r\n" + follower,
            body: follower),
        Harmless(
            name: "white space that the grammar allows",
            text: "POST /1 HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:\t cHuNkEd \t\r\n\r\n005\r\nhello\r\n000\r\n\r\n", body: "hello"),
        Harmless(name: "empty lines before the request", text: "\r\n\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Harmless(
            name: "fields in disguise",
            text:
                "GET /1 HTTP/1.1\r\nHost: a\r\nContent_Length: 36\r\nTransfer_Encoding: chunked\r\nX_Forwarded_For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\n"
                + "Proxy_Authorization: x\r\nX_Forwarded_Anything: x\r\n\r\n",
            absent: ["content_length", "transfer_encoding", "x_forwarded_for", "x_real_ip", "proxy_authorization", "x_forwarded_anything"]),
        Harmless(
            name: "trailers that frame, route and authenticate",
            text:
                "POST /1 HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 1\r\nHost: b\r\n"
                + "Transfer-Encoding: chunked\r\nX-Souk-User: 1\r\nAuthorization: x\r\n\r\n",
            body: "hello", absent: ["x-souk-user", "authorization", "content-length"]),
        Harmless(
            name: "an upgrade to h2c",
            text:
                "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n",
            absent: ["upgrade", "http2-settings"]),
        Harmless(
            name: "an upgrade to h2c that Connection does not name",
            text: "GET /1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n",
            absent: ["upgrade", "http2-settings"]),
        Harmless(name: "the host as absolute form", text: "GET http://A/1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Harmless(
            name: "claims about the path and the method",
            text: "GET /1 HTTP/1.1\r\nHost: a\r\nForwarded: for=6.6.6.6;host=b\r\nX-Forwarded-Prefix: /b\r\n\r\n",
            absent: ["forwarded", "x-forwarded-prefix"]),
    ]

    @Test("what can be read in one way only is passed on in that way, and what follows it is a request of its own", arguments: harmless)
    func passed(_ harmless: Harmless) async throws {
        let upstream = try await TestUpstream.start(answer: { _ in TestUpstream.Response(headers: ["content-length": "0"]) })
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(harmless.text + "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = try await client.receiveToEnd()
            #expect(text.ranges(of: "HTTP/1.1 200 ").count == 2, "\(text)")
        }
        let requests = upstream.requests
        #expect(requests.map(\.head.uri) == ["/1", "/2"])
        let request = try #require(requests.first)
        #expect(request.body == harmless.body)
        #expect(request.values("host").count == 1 && request.values("x-forwarded-for") == ["127.0.0.1"])
        for name in harmless.absent { #expect(request.values(name) == [], "\(name) must not pass") }
        try await upstream.stop()
    }

    /// The statuses of all responses in a client's bytes, but for 1xx.
    private static func finalStatuses(_ text: String) -> [Substring] {
        text.ranges(of: "HTTP/1.1 ").map { text[$0.upperBound...].prefix(3) }.filter { !$0.hasPrefix("1") }
    }

    /// An upstream that gives this answer on its first connection, and a good one on all others.
    private static func upstream(answering hostile: HostileAnswer) async throws -> RawUpstream {
        try await RawUpstream.start { channel, connection, _ in
            let text = connection == 0 ? hostile.text : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean"
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        }
    }

    @Test("an answer whose head is not clear is a 502, and its connection is not used again", arguments: HostileAnswer.badHeads)
    func badHead(_ hostile: HostileAnswer) async throws {
        let upstream = try await Self.upstream(answering: hostile)
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = try await client.receiveToEnd()
            #expect(Self.finalStatuses(text) == ["502", "200"], "\(text.suffix(800))")
            #expect(!text.contains("secret") && text.hasSuffix("clean"))
        }
        #expect(upstream.connections == 2)
        try await upstream.stop()
    }

    @Test(
        "an answer whose body is not clear cuts its client off before its end, and its connection is not used again",
        arguments: HostileAnswer.badBodies)
    func badBody(_ hostile: HostileAnswer) async throws {
        let upstream = try await Self.upstream(answering: hostile)
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = try await client.receiveToEnd()
            #expect(!text.hasSuffix("0\r\n\r\n") && text.ranges(of: "HTTP/1.1 ").count <= 1)
            #expect(try await RawClient.connect(port: port).get("/").body == "clean")
        }
        #expect(upstream.connections == 2)
        try await upstream.stop()
    }

    @Test("what an upstream sends beyond its answer reaches nobody, and its connection is not used again", arguments: HostileAnswer.tooMuch)
    func tooMuch(_ hostile: HostileAnswer) async throws {
        let upstream = try await Self.upstream(answering: hostile)
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.receive { !Self.finalStatuses($0).isEmpty && $0.contains("\r\n\r\n") }
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = try await client.receiveToEnd()
            #expect(Self.finalStatuses(text).count == 2)
            #expect(!text.contains("secret") && text.hasSuffix("clean"), "\(text)")
        }
        #expect(upstream.connections == 2)
        try await upstream.stop()
    }
}
