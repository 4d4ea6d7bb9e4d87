import Foundation
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Testing

@testable import HTTPProxy

@Suite("HTTP/2", .timeLimit(.minutes(2)))
struct HTTP2Tests {
    /// A proxy that speaks HTTP/2 without TLS, before an upstream.
    private static func withHTTP2(
        timeouts: RouteTimeouts = RouteTimeouts(), limits: ProxyLimits = ProxyLimits(), options: HTTP2Options? = nil,
        to endpoint: Endpoint, _ body: (HTTP2Client, ProxyServer, Int) async throws -> Void
    ) async throws {
        var configuration = everything(to: endpoint, timeouts: timeouts)
        configuration.http2.isCleartextAllowed = true
        if let options { configuration.http2 = options }
        configuration.limits = limits
        try await withProxy(configuration) { proxy, port in
            try await body(HTTP2Client.connect(port: port), proxy, port)
        }
    }

    private static func withUpstream(
        answer: @escaping @Sendable (TestUpstream.Request) -> TestUpstream.Response = {
            TestUpstream.Response(body: "\($0.head.method.rawValue) \($0.head.uri) \($0.body)")
        }, later: @escaping @Sendable (TestUpstream.Request) -> EventLoopFuture<TestUpstream.Response>? = { _ in nil },
        _ body: (HTTP2Client, TestUpstream, ProxyServer) async throws -> Void
    ) async throws {
        let upstream = try await TestUpstream.start(answer: answer, later: later)
        try await withHTTP2(to: upstream.endpoint) { client, proxy, _ in try await body(client, upstream, proxy) }
        try await upstream.stop()
    }

    // MARK: Which protocol

    @Test("over TLS the client chooses HTTP/2 or HTTP/1.1, and the upstream sees the same request")
    func negotiated() async throws {
        let certificates = try TestCertificates()
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint)
        configuration.tls = ServerTLS(certificateFile: certificates.file("server.pem"), privateKeyFile: certificates.file("server.key"))
        try await withProxy(configuration) { _, port in
            let second = try await HTTP2Client.connect(port: port, tls: certificates.client(speaks: ["h2"]))
            let answer = try await second.get("/two?x=y", [("X-Mixed", "1")].map { ($0.0.lowercased(), $0.1) })
            #expect(answer.status == 200 && answer.body == "GET /two?x=y " && answer.isEnded)
            #expect(answer["x-request-id"]?.isEmpty == false && answer["connection"] == nil && answer["transfer-encoding"] == nil)
            let first = try await RawClient.connect(port: port, tls: certificates.client(speaks: ["http/1.1"]))
            #expect(try await first.get("/one").body == "GET /one ")
            try await second.close()
        }
        let request = try #require(upstream.requests.first)
        #expect(request.head.version == .http1_1 && request.values("host") == ["shop.test"] && request.values("x-mixed") == ["1"])
        #expect(request.values("x-forwarded-proto") == ["https"] && request.values("x-forwarded-for") == ["127.0.0.1"])
        try await upstream.stop()
        try certificates.remove()
    }

    @Test("HTTP/2 that is not offered is not chosen")
    func notOffered() async throws {
        let certificates = try TestCertificates()
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint)
        configuration.tls = ServerTLS(certificateFile: certificates.file("server.pem"), privateKeyFile: certificates.file("server.key"))
        configuration.http2.isEnabled = false
        try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port, tls: certificates.client(speaks: ["h2", "http/1.1"]))
            #expect(try await client.get("/").status == 200)
        }
        try await upstream.stop()
        try certificates.remove()
    }

    @Test("without TLS HTTP/2 is refused unless it is allowed; then both are spoken on one port")
    func cleartext() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            #expect(try await client.receiveToEnd().hasPrefix("HTTP/1.1 505 "))
        }
        try await Self.withHTTP2(to: upstream.endpoint) { client, _, port in
            #expect(try await client.get("/two").body == "GET /two ")
            let first = try await RawClient.connect(port: port)
            #expect(try await first.get("/one").body == "GET /one ")
            // Only at the very beginning.
            try await first.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            #expect(try await first.receiveToEnd().contains("HTTP/1.1 505 "))
        }
        try await upstream.stop()
    }

    // MARK: Requests and responses

    @Test("bodies go both ways, with a length and without", arguments: [1, 70_000, 1_000_000])
    func bodies(size: Int) async throws {
        let text = String(repeating: "x", count: size)
        try await Self.withUpstream { client, upstream, _ in
            let counted = try await client.request("PUT", "/", [("content-length", "\(size)")], body: text)
            let open = try await client.request("PUT", "/", body: text)
            #expect(counted.body == "PUT / " + text && open.body == counted.body)
            #expect(upstream.requests[0].values("content-length") == ["\(size)"])
            #expect(upstream.requests[1].values("transfer-encoding") == ["chunked"])
        }
    }

    @Test("responses without a body end with their head")
    func withoutBody() async throws {
        try await Self.withUpstream(
            answer: { request in
                let status = HTTPResponseStatus(statusCode: Int(request.head.uri.dropFirst()) ?? 200)
                return TestUpstream.Response(status: status, headers: ["content-length": request.head.method == .HEAD ? "5" : "0"])
            },
            { client, _, _ in
                let head = try await client.request("HEAD", "/200")
                #expect(head.status == 200 && head["content-length"] == "5" && head.body.isEmpty && head.isEnded)
                for status in [200, 204, 304] {
                    let answer = try await client.get("/\(status)")
                    #expect(answer.status == status && answer.body.isEmpty && answer.isEnded && answer.reset == nil)
                }
            })
    }

    @Test("a chunked response comes in frames, with its trailers; names are in lower case")
    func trailers() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(
                ByteBuffer(
                    string:
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Mixed-Case: Yes\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n"
                        + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"), promise: nil)
        }
        try await Self.withHTTP2(to: upstream.endpoint) { client, _, _ in
            let answer = try await client.get("/")
            #expect(answer.body == "abcde" && answer["x-mixed-case"] == "Yes" && answer["x-hop"] == nil)
            #expect(answer.trailers?.first(name: "x-sum") == "5" && answer.isEnded)
        }
        try await upstream.stop()
    }

    @Test("1xx heads are passed on before the response")
    func informational() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(
                ByteBuffer(
                    string: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
                promise: nil)
        }
        try await Self.withHTTP2(to: upstream.endpoint) { client, _, _ in
            let answer = try await client.get("/")
            #expect(answer.informational.map { $0.first(name: ":status") } == ["103"])
            #expect(answer.informational.first?.first(name: "link") == "</a>")
            #expect(answer.status == 200 && answer.body == "ok")
        }
        try await upstream.stop()
    }

    @Test("streams do not wait for each other: the last one asked may be the first one answered")
    func multiplexed() async throws {
        let promises = Collector<(path: String, promise: EventLoopPromise<TestUpstream.Response>)>()
        try await Self.withUpstream(later: { request in
            let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
            promises.append((request.head.uri, promise))
            return promise.futureResult
        }) { client, upstream, proxy in
            var streams: [HTTP2ClientStream] = []
            for number in 0..<20 { streams.append(try await client.open(HTTP2Client.head("GET", "/\(number)"))) }
            try await eventually { promises.values.count >= 20 }
            let busy = try await proxy.status()
            #expect(busy.activeRequests == 20 && busy.clientConnections == 1)
            for (number, stream) in streams.enumerated().reversed() {
                promises.values.first { $0.path == "/\(number)" }?.promise.succeed(TestUpstream.Response(body: "\(number)"))
                #expect(try await stream.response().body == "\(number)")
            }
            let quiet = try await proxy.status()
            #expect(quiet.activeRequests == 0)
        }
    }

    @Test("what HTTP/2 forbids never reaches the upstream, and other streams go on")
    func forbidden() async throws {
        try await Self.withUpstream { client, upstream, _ in
            for fields in [
                [("transfer-encoding", "chunked")], [("connection", "close")], [("X-Upper", "1")], [("x", "1\r\ny: 2")], [("te", "gzip")],
                [("content-length", "5")], [(":path", "/twice")], [("host", "other")],
            ] {
                let answer = try await client.get("/", fields)
                #expect(answer.status == 400 || answer.reset == .protocolError, "\(fields): \(answer)")
            }
            #expect(upstream.requests.isEmpty)
            #expect(try await client.get("/after").status == 200)
        }
    }

    @Test("the client is told how many requests may be open at a time, and how large a head may be")
    func settings() async throws {
        var options = HTTP2Options()
        options.isCleartextAllowed = true
        options.maximumConcurrentStreams = 2
        var limits = ProxyLimits()
        limits.maximumHeadBytes = 12_345
        let upstream = try await TestUpstream.start()
        try await Self.withHTTP2(limits: limits, options: options, to: upstream.endpoint) { client, _, _ in
            let answer = try await client.get("/")
            #expect(answer.status == 200)
            #expect(client.settings.contains(HTTP2Setting(parameter: .maxConcurrentStreams, value: 2)))
            #expect(client.settings.contains(HTTP2Setting(parameter: .maxHeaderListSize, value: 12_345)))
        }
        try await upstream.stop()
    }

    // MARK: Endings

    @Test("an answer that comes before the request is complete ends the stream without an error, and only that")
    func earlyAnswer() async throws {
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint, maximumBodyBytes: 10)
        configuration.http2.isCleartextAllowed = true
        try await withProxy(configuration) { _, port in
            let client = try await HTTP2Client.connect(port: port)
            let stream = try await client.open(HTTP2Client.head("POST", "/"), endsStream: false)
            try await stream.send("more than ten bytes")
            let answer = try await stream.response()
            #expect(answer.status == 413 && answer.body.contains("body-too-large") && answer.isEnded && answer.reset == .noError)
            #expect(try await client.get("/after").status == 200)
        }
        try await upstream.stop()
    }

    @Test("an upstream that breaks off in the middle resets the stream, and only that")
    func brokenOff() async throws {
        let upstream = try await RawUpstream.start { channel, _, text in
            if text.hasPrefix("GET /whole") {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), promise: nil)
            } else {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), promise: nil)
                channel.close(promise: nil)
            }
        }
        try await Self.withHTTP2(to: upstream.endpoint) { client, _, _ in
            let answer = try await client.get("/")
            #expect(answer.status == 200 && answer.body == "ab" && !answer.isEnded && answer.reset == .internalError)
            #expect(try await client.get("/whole").body == "ok")
        }
        try await upstream.stop()
    }

    @Test("a client that resets its stream, or goes away, ends the request at the upstream", arguments: [false, true])
    func clientGone(closesConnection: Bool) async throws {
        let asked = Counter()
        let ended = Counter()
        let upstream = try await RawUpstream.start { channel, _, _ in
            asked.increment()
            channel.closeFuture.whenComplete { _ in ended.increment() }
        }
        // So that nothing else ends it.
        var timeouts = RouteTimeouts()
        (timeouts.total, timeouts.firstByte, timeouts.idle) = (nil, nil, nil)
        try await Self.withHTTP2(timeouts: timeouts, to: upstream.endpoint) { client, proxy, _ in
            let stream = try await client.open(HTTP2Client.head("GET", "/"))
            try await eventually { asked.value != 0 }
            if closesConnection { try await client.close() } else { try await stream.send(.rstStream(.cancel)) }
            try await eventually { ended.value != 0 }
            let status = try await proxy.status()
            #expect(status.activeRequests == 0)
        }
        try await upstream.stop()
    }

    @Test("a request that takes too long is answered, and its stream ends")
    func timeout() async throws {
        let upstream = try await RawUpstream.start { _, _, _ in }
        var timeouts = RouteTimeouts()
        timeouts.firstByte = .milliseconds(50)
        try await Self.withHTTP2(timeouts: timeouts, to: upstream.endpoint) { client, _, _ in
            let answer = try await client.get("/")
            #expect(answer.status == 504 && answer.isEnded)
        }
        try await upstream.stop()
    }

    @Test("a connection without requests is told to go, and closed")
    func idle() async throws {
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint)
        configuration.limits.idleTimeout = .milliseconds(50)
        try await Self.withHTTP2(to: upstream.endpoint) { [configuration] client, proxy, _ in
            // Not before both sides have what they need: a client that is slow to say that it speaks HTTP/2 would not be told anything.
            #expect(try await client.get("/").status == 200)
            try await proxy.reload(configuration)
            #expect(try await client.get("/").status == 200)
            try await client.closed()
            #expect(client.goAways.first == .maxID && client.goAways.last == 3)
        }
        try await upstream.stop()
    }

    @Test("draining answers the requests that are under way, refuses later ones and closes")
    func drain() async throws {
        let promises = Collector<EventLoopPromise<TestUpstream.Response>>()
        try await Self.withUpstream(later: { _ in
            let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
            promises.append(promise)
            return promise.futureResult
        }) { client, _, proxy in
            let stream = try await client.open(HTTP2Client.head("GET", "/"))
            try await eventually { !promises.values.isEmpty }
            async let drained: Void = proxy.drain(within: .seconds(10))
            try await eventually { client.goAways.count >= 2 }
            #expect(client.goAways == [.maxID, 1])
            #expect(try await proxy.connectionCount() == 1)
            promises.values[0].succeed(TestUpstream.Response(body: "late"))
            #expect(try await stream.response().body == "late")
            try await client.closed()
            try await drained
        }
    }
}
