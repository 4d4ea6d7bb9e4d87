import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Upstreams and clients that misbehave", .timeLimit(.minutes(1)))
struct FaultTests {
    private static let get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"

    @Test("an upstream that nobody listens for is a 503 with Retry-After")
    func refused() async throws {
        let upstream = try await TestUpstream.start()
        let endpoint = upstream.endpoint
        try await upstream.stop()
        try await withProxy(everything(to: endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            let response = try await client.get("/")
            #expect(response.status == 503 && response["retry-after"] == "1")
            #expect(response.body.contains("urn:souk:problem:unavailable"))
            // The client's connection is as good as before.
            #expect(try await client.get("/").status == 503)
        }
    }

    @Test("an upstream that accepts and says nothing is a 504, and its connection is closed")
    func silence() async throws {
        let closed = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let upstream = try await RawUpstream.start { channel, _, _ in channel.closeFuture.cascade(to: closed) }
        let timeouts = RouteTimeouts(firstByte: .milliseconds(500), total: .seconds(30))
        try await withProxy(everything(to: upstream.endpoint, timeouts: timeouts)) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 504)
            #expect(response.body.contains("urn:souk:problem:upstream-timeout"))
            try await closed.futureResult.get()
        }
        try await upstream.stop()
    }

    @Test("a response that takes longer than the total timeout is cut")
    func slowByTheByte() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na"), promise: nil)
        }
        let timeouts = RouteTimeouts(firstByte: nil, total: .seconds(1))
        try await withProxy(everything(to: upstream.endpoint, timeouts: timeouts)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.get)
            #expect(try await client.receiveToEnd().hasSuffix("\r\n\r\na"))
        }
        try await upstream.stop()
    }

    @Test("a response that comes before the whole request says that it is the last on its connection, and is")
    func earlyResponse() async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nab")
            let text = try await client.receiveToEnd()
            #expect(text.hasPrefix("HTTP/1.1 404 Not Found\r\n") && text.contains("connection: close\r\n"))
        }
        try await upstream.stop()
    }

    @Test("a request body that does not come is a 408")
    func slowBody() async throws {
        let upstream = try await TestUpstream.start()
        let timeouts = RouteTimeouts(firstByte: nil, total: .milliseconds(500))
        try await withProxy(everything(to: upstream.endpoint, timeouts: timeouts)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try await client.receiveToEnd().hasPrefix("HTTP/1.1 408 "))
        }
        try await upstream.stop()
    }

    @Test("a head that does not come is a 408")
    func slowHead() async throws {
        var configuration = ProxyConfiguration(routes: [])
        configuration.limits.headTimeout = .milliseconds(50)
        try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET / HT")
            #expect(try await client.receiveToEnd().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("a connection without a request is closed without a word")
    func idleClient() async throws {
        var configuration = ProxyConfiguration(routes: [])
        configuration.limits.idleTimeout = .milliseconds(50)
        try await withProxy(configuration) { _, port in
            let text = try await RawClient.connect(port: port).receiveToEnd()
            #expect(text == "")
        }
    }

    @Test(
        "an answer that is not HTTP is a 502",
        arguments: [
            "hello\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
            "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\n\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 99 Low\r\n\r\n", "SSH-2.0-OpenSSH\r\n",
        ])
    func garbage(answer: String) async throws {
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
            if !answer.contains("\n\r\n") { channel.close(promise: nil) }
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 502)
        }
        try await upstream.stop()
    }

    @Test("an upstream that breaks off in a body cuts the client, which so sees that the response is not complete")
    func brokenBody() async throws {
        let records = Collector<AccessRecord>()
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), promise: nil)
            channel.close(promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint), observer: ProxyObserver(access: { records.append($0) })) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.get)
            let text = try await client.receiveToEnd()
            #expect(!text.contains("\r\n0\r\n"))
        }
        #expect(records.values.map(\.outcome) == [.failed(.upstreamClosed)])
        try await upstream.stop()
    }

    @Test("a second answer that nobody asked for does not reach the next client")
    func twoAnswers() async throws {
        let upstream = try await RawUpstream.start { channel, connection, _ in
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(connection)"
            channel.writeAndFlush(
                ByteBuffer(string: answer + (connection == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : "")), promise: nil)
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            #expect(try await client.get("/").body == "0")
            #expect(try await client.get("/").body == "1")
        }
        try await upstream.stop()
    }

    @Test("a connection that the upstream closed while it was idle does not harm a GET")
    func staleConnection() async throws {
        // Answers the first request of the first connection, and closes it when the second comes, as a server does whose idle timeout has just run out.
        let seen = Counter()
        let upstream = try await RawUpstream.start { channel, connection, _ in
            if connection == 0, seen.increment() == 2 {
                channel.close(promise: nil)
            } else {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(connection)"), promise: nil)
            }
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            #expect(try await client.get("/").body == "0")
            #expect(try await client.get("/").body == "1")
        }
        try await upstream.stop()
    }

    @Test("a POST on a connection that the upstream closes is a 502 and is sent once")
    func stalePost() async throws {
        let requests = Counter()
        let upstream = try await RawUpstream.start { channel, _, _ in
            if requests.increment() == 1 {
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), promise: nil)
            } else {
                channel.close(promise: nil)
            }
        }
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            _ = try await client.get("/")
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            #expect(try await client.response().status == 502)
        }
        #expect(requests.value == 2)
        try await upstream.stop()
    }

    @Test("when the client goes away its upstream connection is closed")
    func clientVanishes() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let asked = loop.makePromise(of: Void.self)
        let closed = loop.makePromise(of: Void.self)
        let upstream = try await RawUpstream.start { channel, _, _ in
            channel.closeFuture.cascade(to: closed)
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), promise: nil)
            // Goes on writing until the proxy has noticed.
            channel.eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(1), delay: .milliseconds(1)) { task in
                guard channel.isActive else { return task.cancel() }
                channel.writeAndFlush(ByteBuffer(string: "3\r\nabc\r\n"), promise: nil)
            }
            asked.succeed()
        }
        try await withProxy(everything(to: upstream.endpoint)) { proxy, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(Self.get)
            try await asked.futureResult.get()
            try await client.close()
            try await closed.futureResult.get()
            try await eventually { try await proxy.connectionCount() == 0 }
        }
        try await upstream.stop()
    }

    @Test("a body that is too long is a 413, announced or streamed")
    func bodyTooLarge() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint, maximumBodyBytes: 10)) { _, port in
            let announced = try await RawClient.connect(port: port)
            try await announced.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
            #expect(try await announced.receiveToEnd().hasPrefix("HTTP/1.1 413 "))
            let streamed = try await RawClient.connect(port: port)
            try await streamed.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n")
            #expect(try await streamed.receiveToEnd().hasPrefix("HTTP/1.1 413 "))
            let exact = try await RawClient.connect(port: port)
            try await exact.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234567890")
            #expect(try await exact.response().status == 200)
        }
        #expect(upstream.requests.count == 1)
        try await upstream.stop()
    }

    @Test("a request that breaks off is not passed on as complete")
    func truncatedRequest() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            try await client.channel.close(mode: .output)
            #expect(try await client.receiveToEnd().hasPrefix("HTTP/1.1 400 "))
        }
        #expect(upstream.requests.isEmpty)
        try await upstream.stop()
    }
}
