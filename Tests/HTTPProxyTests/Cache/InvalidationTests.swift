import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("What has changed is not given from the cache any more", .timeLimit(.minutes(1)))
struct InvalidationTests {
    /// Answers with how often something was changed.
    private static func counting(_ changes: Counter, status: HTTPResponseStatus = .ok)
        -> @Sendable (TestUpstream.Request) ->
        TestUpstream.Response
    {
        { request in
            guard request.head.method != .GET else { return CacheSite.shared("\(changes.value)") }
            return CacheSite.Response(status: status, body: "\(changes.increment())")
        }
    }

    @Test("who has heard that a change is done is never given what was before, on no event loop and whatever the query")
    func everyLoop() async throws {
        let changes = Counter()
        try await CacheSite.run(threads: 4, answer: Self.counting(changes)) { site in
            var clients: [RawClient] = []
            for _ in 0..<8 { clients.append(try await site.client()) }
            for round in 0..<20 {
                for (index, client) in clients.enumerated() { #expect(try await client.get("/a?x=\(index % 2)").body == "\(round)") }
                #expect(try await clients[round % 8].post("/a").status == 200)
            }
            #expect(try await clients[0].get("/b").body == "20")
            _ = try await clients[1].post("/a")
            // What is elsewhere stays.
            #expect(try await clients[2].get("/b").body == "20")
        }
    }

    @Test("every method that may change something does so, also by another route", arguments: ["PUT", "PATCH", "DELETE", "POST", "PURGE"])
    func methods(method: String) async throws {
        let changes = Counter()
        try await CacheSite.run(
            answer: Self.counting(changes),
            configure: { configuration in
                configuration.routes[0].methods = ["GET"]
                configuration.routes.append(Route(name: "write", path: .prefix("/"), target: .cluster("all")))
            }
        ) { site in
            let client = try await site.client()
            #expect(try await client.get("/a").body == "0")
            try await client.send(method, "/a", host: "SHOP.test", fields: "Content-Length: 0\r\n")
            #expect(try await client.response()["cache-status"] == nil)
            #expect(try await client.get("/a").body == "1")
        }
    }

    @Test("a change that the service refused has changed nothing", arguments: [400, 401, 403, 404, 409, 500])
    func refused(status: Int) async throws {
        let changes = Counter()
        try await CacheSite.run(answer: Self.counting(changes, status: HTTPResponseStatus(statusCode: status))) { site in
            let client = try await site.client()
            #expect(try await client.get("/a").body == "0")
            #expect(try await client.post("/a").status == status)
            #expect(try await client.get("/a").body == "0")
        }
    }

    @Test("OPTIONS changes nothing")
    func safe() async throws {
        try await CacheSite.run { site in
            let client = try await site.client()
            _ = try await client.get("/a")
            try await client.send("OPTIONS", "/a")
            #expect(try await client.response()["cache-status"] == "souk; fwd=method")
            #expect(try await client.get("/a")["cache-status"] == "souk; hit; ttl=60")
        }
    }

    @Test("of a change that nobody knows what became of is believed that it was made")
    func unknown() async throws {
        let changes = Counter()
        let upstream = try await RawUpstream.start { channel, _, text in
            if text.hasPrefix("POST") {
                changes.increment()
                channel.close(promise: nil)
            } else {
                channel.writeAndFlush(
                    ByteBuffer(string: "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\nContent-Length: 1\r\n\r\n\(changes.value)"),
                    promise: nil)
            }
        }
        try await withProxy(CacheSite.cached(everything(to: upstream.endpoint))) { _, port in
            let client = try await RawClient.connect(port: port)
            #expect(try await client.get("/a").body == "0")
            #expect(try await client.post("/a").status == 502)
            #expect(try await client.get("/a").body == "1")
        }
        try await upstream.stop()
    }

    @Test("what was being fetched when a change was made goes to who asked for it, and is not stored")
    func raced() async throws {
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
        let changes = Counter()
        try await CacheSite.run(
            threads: 2, answer: Self.counting(changes),
            later: { request in request.head.method == .GET && changes.value == 0 ? gate.futureResult : nil }
        ) { site in
            let (reader, writer) = (try await site.client(), try await site.client())
            try await reader.send("GET", "/a")
            try await eventually { !site.asked.isEmpty }
            #expect(try await writer.post("/a").status == 200)
            #expect(try await writer.get("/a?fresh").body == "1")
            gate.succeed(CacheSite.shared("old"))
            #expect(try await reader.response().body == "old")
            #expect(try await reader.get("/a").body == "1")
            #expect(site.responses.fills == 0)
        }
    }

    @Test("who comes after a change does not get what was fetched before it, though it waited for that")
    func coalescedRace() async throws {
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
        let changes = Counter()
        try await CacheSite.run(
            answer: Self.counting(changes),
            later: { request in request.head.method == .GET && changes.value == 0 ? gate.futureResult : nil }
        ) { site in
            let (reader, writer) = (try await site.client(), try await site.client())
            try await reader.send("GET", "/a")
            try await eventually { !site.asked.isEmpty }
            #expect(try await writer.post("/a").status == 200)
            try await writer.send("GET", "/a")
            await site.arrivals.wait(for: 3)
            gate.succeed(CacheSite.shared("old"))
            #expect(try await writer.response().body == "1")
            #expect(try await reader.response().body == "old")
            #expect(try await reader.get("/a").body == "1")
        }
    }
}
