import NIOCore
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Upstream connections", .timeLimit(.minutes(1)))
struct PoolTests {
    /// Answers everything and tells when its connections close.
    private static func upstream(closed: EventLoopPromise<Void>) async throws -> RawUpstream {
        try await RawUpstream.start { channel, _, _ in
            channel.closeFuture.cascade(to: closed)
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), promise: nil)
        }
    }

    @Test("a connection that nobody uses is closed after the idle timeout")
    func idleTimeout() async throws {
        let closed = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let upstream = try await Self.upstream(closed: closed)
        var limits = ConnectionLimits()
        limits.idleTimeout = .milliseconds(10)
        try await withProxy(everything(to: upstream.endpoint, connections: limits)) { _, port in
            let client = try await RawClient.connect(port: port)
            #expect(try await client.get("/").body == "ok")
            try await closed.futureResult.get()
            #expect(try await client.get("/").body == "ok")
        }
        #expect(upstream.connections == 2)
        try await upstream.stop()
    }

    @Test("connections to an endpoint that a reload removes are closed, those to one that stays are kept")
    func retired() async throws {
        let closed = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let leaving = try await Self.upstream(closed: closed)
        let staying = try await TestUpstream.start()
        func configuration(_ endpoints: [Endpoint]) -> ProxyConfiguration {
            ProxyConfiguration(
                clusters: endpoints.enumerated().map { Cluster(name: "\($0.offset)", endpoints: [$0.element]) },
                routes: endpoints.enumerated().map {
                    Route(name: "\($0.offset)", path: .prefix("/\($0.offset)"), target: .cluster("\($0.offset)"))
                })
        }
        try await withProxy(configuration([staying.endpoint, leaving.endpoint])) { proxy, port in
            let client = try await RawClient.connect(port: port)
            _ = try await client.get("/0")
            _ = try await client.get("/1")
            try await proxy.reload(configuration([staying.endpoint]))
            try await closed.futureResult.get()
            #expect(try await client.get("/1").status == 404)
            #expect(try await client.get("/0").status == 200)
        }
        #expect(staying.connections == 1)
        try await staying.stop()
        try await leaving.stop()
    }

    @Test("no more idle connections are kept than allowed")
    func maximumIdle() async throws {
        let closed = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let upstream = try await Self.upstream(closed: closed)
        var limits = ConnectionLimits()
        limits.maximumIdle = 0
        try await withProxy(everything(to: upstream.endpoint, connections: limits)) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<3 { #expect(try await client.get("/").body == "ok") }
        }
        #expect(upstream.connections == 3)
        try await upstream.stop()
    }

    @Test("a request that stands in line for too long is a 503")
    func lineTimeout() async throws {
        let upstream = try await RawUpstream.start { channel, connection, bytes in
            // The first request gets a head and no end, and so keeps the only connection.
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), promise: nil)
        }
        var limits = ConnectionLimits()
        limits.maximumConnections = 1
        try await withProxy(everything(to: upstream.endpoint, connections: limits)) { _, port in
            let holder = try await RawClient.connect(port: port)
            try await holder.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await holder.receive { $0.hasSuffix("\r\n\r\n") }
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 503)
            #expect(response.body.contains("urn:souk:problem:service-busy"))
        }
        try await upstream.stop()
    }

    @Test("a whole request that is refused for want of a connection keeps its own, body or not")
    func refusedAndKept() async throws {
        let upstream = try await RawUpstream.start { channel, connection, bytes in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), promise: nil)
        }
        var limits = ConnectionLimits()
        limits.maximumConnections = 1
        limits.maximumWait = .milliseconds(1)
        try await withProxy(everything(to: upstream.endpoint, connections: limits)) { _, port in
            let holder = try await RawClient.connect(port: port)
            try await holder.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await holder.receive { $0.hasSuffix("\r\n\r\n") }
            let client = try await RawClient.connect(port: port)
            for _ in 0..<2 {
                try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
                let response = try await client.response()
                #expect(response.status == 503)
                #expect(response["connection"] == nil)
            }
        }
        try await upstream.stop()
    }

    @Test("an endpoint may be a name")
    func name() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: Endpoint(host: "localhost", port: upstream.port))) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 200)
        }
        try await upstream.stop()
    }

    @Test("a name that does not exist is a 503")
    func unknownName() async throws {
        try await withProxy(everything(to: Endpoint(host: "nowhere.invalid", port: 80))) { _, port in
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 503)
        }
    }
}
