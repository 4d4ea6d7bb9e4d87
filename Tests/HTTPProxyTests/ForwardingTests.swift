import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Forwarding over real sockets", .timeLimit(.minutes(1)))
struct ForwardingTests {
    @Test("a request and its response pass through, and the connection stays open")
    func passesThrough() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            let response = try await client.get("/api/things?x=1")
            #expect(response.status == 200)
            #expect(response.body == "GET /api/things?x=1 ")
            #expect(response["x-request-id"] != nil)
            try await client.send("POST /p HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhello")
            #expect(try await client.response().body == "POST /p hello")
        }
        try await upstream.stop()
    }

    @Test("requests of one client use one upstream connection, on the client's own event loop")
    func upstreamReuse() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint), threads: 2) { _, port in
            // Two connections land on two loops; each loop has its own connection to the upstream.
            let one = try await RawClient.connect(port: port)
            let other = try await RawClient.connect(port: port)
            for _ in 0..<5 {
                _ = try await one.get("/one")
                _ = try await other.get("/other")
            }
        }
        #expect(upstream.connections == 2)
        #expect(Set(upstream.requests.filter { $0.head.uri == "/one" }.map(\.connection)).count == 1)
        #expect(Set(upstream.requests.filter { $0.head.uri == "/other" }.map(\.connection)).count == 1)
        try await upstream.stop()
    }

    @Test("pipelined requests are answered one at a time, in order")
    func pipelining() async throws {
        let underWay = Counter()
        let most = Collector<Int>()
        let upstream = try await TestUpstream.start(
            answer: { TestUpstream.Response(body: $0.head.uri) },
            later: { request in
                most.append(underWay.increment())
                let loop = MultiThreadedEventLoopGroup.singleton.next()
                return loop.scheduleTask(in: .milliseconds(5)) {
                    underWay.increment(by: -1)
                    return TestUpstream.Response(body: request.head.uri)
                }.futureResult
            })
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send((1...10).map { "GET /\($0) HTTP/1.1\r\nHost: shop.test\r\n\r\n" }.joined())
            for number in 1...10 { #expect(try await client.response().body == "/\(number)") }
        }
        #expect(most.values == Array(repeating: 1, count: 10))
        try await upstream.stop()
    }

    @Test("a request that arrives byte by byte is served")
    func byteByByte() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            for byte in "POST /slow HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".utf8
            {
                try await client.send(ByteBuffer(bytes: [byte]))
            }
            #expect(try await client.response().body == "POST /slow abcde")
        }
        try await upstream.stop()
    }

    @Test("a chunked response stays chunked, with its trailers; an HTTP/1.0 client gets the bare bytes and a close")
    func chunkedResponse() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(
                ByteBuffer(
                    string:
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nContent-Length: 9\r\n\r\n"
                ), promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            let text = try await client.receive { $0.hasSuffix("\r\n\r\n") && $0.contains("X-Sum: 5") }
            #expect(text.hasSuffix("\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"))
            #expect(text.contains("transfer-encoding: chunked\r\n"))
            let old = try await RawClient.connect(port: port)
            try await old.send("GET / HTTP/1.0\r\n\r\n")
            let plain = try await old.receiveToEnd()
            #expect(plain.hasSuffix("\r\n\r\nabcde"))
            #expect(plain.contains("connection: close\r\n"))
            #expect(!plain.contains("chunked"))
        }
        try await upstream.stop()
    }

    @Test("a response that ends with its connection reaches the client whole")
    func untilClose() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.0 200 OK\r\n\r\nall there is"), promise: nil)
            channel.close(promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            let text = try await client.receive { $0.hasSuffix("0\r\n\r\n") }
            #expect(text.hasSuffix("c\r\nall there is\r\n0\r\n\r\n"))
        }
        try await upstream.stop()
    }

    @Test("HEAD, 204 and 304 have no body, and the connection goes on")
    func bodyless() async throws {
        let upstream = try await RawUpstream.start { channel, _, request in
            let response =
                if request.hasPrefix("HEAD") {
                    "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
                } else if request.hasPrefix("DELETE") {
                    "HTTP/1.1 204 No Content\r\n\r\n"
                } else {
                    "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n"
                }
            channel.writeAndFlush(ByteBuffer(string: response), promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("HEAD / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            let head = try await client.response(isHead: true)
            #expect(head.status == 200 && head["content-length"] == "1000")
            try await client.send("DELETE / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            #expect(try await client.response().status == 204)
            let notModified = try await client.get("/")
            #expect(notModified.status == 304 && notModified["etag"] == "\"1\"")
        }
        #expect(upstream.connections == 1)
        try await upstream.stop()
    }

    @Test("Expect: 100-continue reaches the upstream, its 100 the client, and then the body follows")
    func expectContinue() async throws {
        let upstream = try await RawUpstream.start { channel, _, bytes in
            if bytes.contains("100-continue") {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), promise: nil)
            } else {
                channel.writeAndFlush(
                    ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(bytes.utf8.count)\r\n\r\n\(bytes)"), promise: nil)
            }
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try await client.response().status == 100)
            try await client.send("body")
            #expect(try await client.response().body == "body")
        }
        try await upstream.stop()
    }

    @Test("a client that has sent all its requests and ended its side gets all answers, also those that need no upstream")
    func halfCloseBehindSeveral() async throws {
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
        let upstream = try await TestUpstream.start(later: { _ in gate.futureResult })
        var configuration = everything(to: upstream.endpoint)
        configuration.routes.append(
            Route(
                name: "here", path: .template("/here"), target: .fixed(LocalResponse(status: .ok, contentType: "text/plain", text: "here")))
        )
        try await withProxy(configuration) { proxy, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /here HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.channel.close(mode: .output)
            try await eventually { !upstream.requests.isEmpty }
            gate.succeed(TestUpstream.Response(body: "slow"))
            let text = try await client.receiveToEnd()
            #expect(text.contains("slow") && text.contains("here"))
        }
        try await upstream.stop()
    }

    @Test("a client that has sent its request may close its sending side and still gets the response")
    func halfClose() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET /1 HTTP/1.1\r\nHost: shop.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            try await client.channel.close(mode: .output)
            let text = try await client.receiveToEnd()
            #expect(text.contains("GET /1 ") && text.contains("GET /2 "))
        }
        try await upstream.stop()
    }

    @Test("a client that has ended its side gets all of an answer that fits no socket's buffer")
    func halfCloseBeforeLargeAnswer() async throws {
        let body = String(repeating: "a", count: 16 << 20) + "!"
        let route = Route(
            name: "large", path: .prefix("/"), target: .fixed(LocalResponse(status: .ok, contentType: "text/plain", text: body)))
        try await withProxy(ProxyConfiguration(routes: [route])) { proxy, port in
            let client = try await RawClient.connect(port: port, reads: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.channel.close(mode: .output)
            // So that the end has come before the answer has left.
            try await eventually { try await proxy.status().activeRequests == 0 }
            try await client.startReading()
            let bytes = try await client.bytesToEnd()
            #expect(bytes.readableBytes > body.utf8.count && bytes.readableBytesView.last == UInt8(ascii: "!"))
        }
    }

    @Test("a full pool makes requests wait in line; a full line is a 503")
    func boundedPool() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let gate = loop.makePromise(of: Void.self)
        let upstream = try await TestUpstream.start(later: { request in
            gate.futureResult.map { TestUpstream.Response(body: request.head.uri) }
        })
        var limits = ConnectionLimits()
        limits.maximumConnections = 1
        limits.maximumWaiting = 1
        // The test opens the gate when it gets to it: here only the line's length counts, not the time in it.
        limits.maximumWait = .minutes(1)
        try await withProxy(everything(to: upstream.endpoint, connections: limits)) { _, port in
            let clients = [
                try await RawClient.connect(port: port), try await RawClient.connect(port: port), try await RawClient.connect(port: port),
            ]
            try await clients[0].send("GET /0 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            try await eventually { !upstream.requests.isEmpty }
            try await clients[1].send("GET /1 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            try await clients[2].send("GET /2 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            // The line holds one; whichever of the two comes second is refused, at once.
            try await withThrowingTaskGroup(of: Int.self) { waiting in
                for client in clients[1...] { waiting.addTask { try await client.response().status } }
                let first = try await waiting.next()
                #expect(first == 503)
                gate.succeed()
                let second = try await waiting.next()
                #expect(second == 200)
            }
            #expect(try await clients[0].response().status == 200)
        }
        #expect(upstream.connections == 1)
        try await upstream.stop()
    }
}
