import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Many who ask for the same at the same time", .timeLimit(.minutes(1)))
struct CoalescedRequestTests {
    private static func promise() -> EventLoopPromise<TestUpstream.Response> {
        MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
    }

    /// Clients that have asked, and wait.
    private static func crowd(_ count: Int, at site: CacheSite, fields: String = "") async throws -> [RawClient] {
        var clients: [RawClient] = []
        for _ in 0..<count {
            let client = try await site.client()
            try await client.send("GET", "/a", fields: fields)
            clients.append(client)
        }
        await site.arrivals.wait(for: count)
        return clients
    }

    @Test("the service is asked once for all of them on one event loop, and all get the answer")
    func once() async throws {
        let answer = Self.promise()
        let measurements = Collector<ExchangeMeasurement>()
        try await CacheSite.run(observer: ProxyObserver(exchange: { measurements.append($0) }), later: { _ in answer.futureResult }) {
            site in
            let clients = try await Self.crowd(100, at: site)
            answer.succeed(CacheSite.shared("for all"))
            for (index, client) in clients.enumerated() {
                let answer = try await client.response()
                #expect(answer.body == "for all")
                #expect(answer["cache-status"] == (index == 0 ? "souk; fwd=miss" : "souk; fwd=miss; collapsed"))
            }
            #expect(site.asked.count == 1)
        }
        #expect(measurements.values.count { $0.cache == .coalesced } == 99 && measurements.values.count { $0.cache == .miss } == 1)
    }

    @Test("with several event loops it is asked no more often than there are loops")
    func oncePerLoop() async throws {
        let answer = Self.promise()
        try await CacheSite.run(threads: 3, later: { _ in answer.futureResult }) { site in
            let clients = try await Self.crowd(30, at: site)
            answer.succeed(CacheSite.shared("for all"))
            for client in clients { #expect(try await client.response().body == "for all") }
            #expect(site.asked.count <= 3 && site.responses.entries == 1)
        }
    }

    @Test("who already has it gets a 304 from what another has fetched")
    func conditional() async throws {
        let answer = Self.promise()
        try await CacheSite.run(later: { _ in answer.futureResult }) { site in
            let leader = try await Self.crowd(1, at: site)[0]
            let knows = try await site.client()
            try await knows.send("GET", "/a", fields: "If-None-Match: \"7\"\r\n")
            await site.arrivals.wait(for: 2)
            answer.succeed(CacheSite.shared("for all", [("etag", "\"7\"")]))
            #expect(try await leader.response().body == "for all")
            #expect(try await knows.response().status == 304)
            #expect(site.asked.count == 1)
        }
    }

    @Test("when it cannot be shared all go to the service themselves, and nobody waits in vain again")
    func uncacheable() async throws {
        let answer = Self.promise()
        try await CacheSite.run(
            answer: { _ in CacheSite.Response(body: "own") }, later: { $0.connection == 0 ? answer.futureResult : nil }
        ) { site in
            let clients = try await Self.crowd(10, at: site)
            try await eventually { !site.asked.isEmpty }
            #expect(site.asked.count == 1)
            answer.succeed(CacheSite.Response(body: "own"))
            for client in clients {
                let answer = try await client.response()
                #expect(answer.body == "own" && answer["cache-status"] == "souk; fwd=miss")
            }
            #expect(site.asked.count == 10 && site.responses.fills == 0)
        }
    }

    @Test("the others go as soon as the head tells that it is for one alone, not when its body is there")
    func byTheHead() async throws {
        let channels = Collector<any Channel>()
        let upstream = try await RawUpstream.start { channel, connection, _ in
            channels.append(channel)
            guard connection > 0 else { return }
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown"), promise: nil)
        }
        let arrivals = Arrivals()
        try await withProxy(CacheSite.cached(everything(to: upstream.endpoint, policies: [arrivals.policy]))) { _, port in
            var clients: [RawClient] = []
            for count in 1...3 {
                let client = try await RawClient.connect(port: port)
                try await client.send("GET", "/a")
                clients.append(client)
                await arrivals.wait(for: count)
            }
            try await eventually { !channels.values.isEmpty }
            #expect(upstream.connections == 1)
            try await channels.values[0].writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"))
            for client in clients[1...] { #expect(try await client.response().body == "own") }
            try await channels.values[0].writeAndFlush(ByteBuffer(string: "own, late"))
            #expect(try await clients[0].response().body == "own, late")
        }
        try await upstream.stop()
    }

    @Test("a service that fails fails for who asked it first; the others ask themselves")
    func failed() async throws {
        let channels = Collector<any Channel>()
        let upstream = try await RawUpstream.start { channel, connection, _ in
            channels.append(channel)
            guard connection > 0 else { return }
            channel.writeAndFlush(
                ByteBuffer(string: "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=9\r\nContent-Length: 2\r\n\r\nok"), promise: nil)
        }
        let arrivals = Arrivals()
        var configuration = CacheSite.cached(everything(to: upstream.endpoint, policies: [arrivals.policy]))
        configuration.routes[0].retries = .none
        try await withProxy(configuration) { _, port in
            var clients: [RawClient] = []
            for count in 1...4 {
                let client = try await RawClient.connect(port: port)
                try await client.send("GET", "/a")
                clients.append(client)
                await arrivals.wait(for: count)
            }
            try await eventually { !channels.values.isEmpty }
            try await channels.values[0].close()
            #expect(try await clients[0].response().status == 502)
            for client in clients[1...] { #expect(try await client.response().body == "ok") }
        }
        try await upstream.stop()
    }

    /// At which moment the first one goes away.
    enum Moment: CaseIterable {
        case beforeTheHead, inTheBody
    }

    @Test("when the first one goes away another one fetches it for the rest", arguments: Moment.allCases)
    func leaderGone(moment: Moment) async throws {
        let head = "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\nContent-Length: 5\r\n\r\n"
        let channels = Collector<any Channel>()
        let upstream = try await RawUpstream.start { channel, connection, _ in
            channels.append(channel)
            if connection > 0 { channel.writeAndFlush(ByteBuffer(string: head + "whole"), promise: nil) }
        }
        let responses = ResponseCache()
        let arrivals = Arrivals()
        let configuration = CacheSite.cached(everything(to: upstream.endpoint, policies: [arrivals.policy]))
        try await withProxy(configuration, responses: responses) { _, port in
            var clients: [RawClient] = []
            for count in 1...5 {
                let client = try await RawClient.connect(port: port)
                try await client.send("GET", "/a")
                clients.append(client)
                await arrivals.wait(for: count)
            }
            try await eventually { !channels.values.isEmpty }
            if moment == .inTheBody {
                try await channels.values[0].writeAndFlush(ByteBuffer(string: head + "wh"))
                try await clients[0].receive { $0.hasSuffix("wh") }
            }
            try await clients[0].vanish()
            for client in clients[1...] { #expect(try await client.response().body == "whole") }
            #expect(upstream.connections == 2 && responses.fills == 0 && responses.entries == 1)
        }
        try await upstream.stop()
    }

    @Test("who waits may go away, and the others do not notice")
    func waiterGone() async throws {
        let answer = Self.promise()
        try await CacheSite.run(later: { _ in answer.futureResult }) { site in
            let clients = try await Self.crowd(6, at: site)
            for client in clients[1...2] { try await client.vanish() }
            try await site.underWay(4)
            answer.succeed(CacheSite.shared("for all"))
            for client in [clients[0]] + clients[3...] { #expect(try await client.response().body == "for all") }
            #expect(site.asked.count == 1)
        }
    }

    @Test("each kind is fetched once: who waits for another kind fetches its own")
    func variants() async throws {
        let first = Self.promise()
        try await CacheSite.run(
            answer: { CacheSite.shared($0.values("accept-language").joined(), [("vary", "accept-language")]) },
            later: { $0.values("accept-language") == ["de"] ? first.futureResult : nil }
        ) { site in
            var clients: [(String, RawClient)] = []
            for language in ["de", "fr", "de", "en", "fr"] {
                let client = try await site.client()
                try await client.send("GET", "/a", fields: "Accept-Language: \(language)\r\n")
                clients.append((language, client))
                await site.arrivals.wait(for: clients.count)
            }
            try await eventually { !site.asked.isEmpty }
            #expect(site.asked.count == 1)
            first.succeed(CacheSite.shared("de", [("vary", "accept-language")]))
            for (language, client) in clients { #expect(try await client.response().body == language) }
            #expect(site.asked.count == 3 && site.responses.entries == 3)
        }
    }

    @Test("a client that does not take what it asked for holds up nobody else")
    func slowLeader() async throws {
        // More than the sockets' own buffers hold.
        let body = String(repeating: "x", count: 16 << 20)
        try await CacheSite.run(
            answer: { _ in CacheSite.shared(body) },
            configure: {
                $0.cacheBytes = 256 << 20
                $0.routes[0].cache?.maximumBodyBytes = 16 << 20
            }
        ) { site in
            let sleeper = try await RawClient.connect(port: site.port, reads: false)
            try await sleeper.send("GET", "/a")
            try await eventually { !site.asked.isEmpty }
            let answer = try await site.client().get("/a")
            #expect(answer.body.utf8.count == body.utf8.count && site.asked.count == 2)
            try await sleeper.close()
        }
    }

    @Test("none of it leaves anything behind")
    func nothingIsLeft() async throws {
        try await CacheSite.run { site in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for lane in 0..<8 {
                    tasks.addTask {
                        for number in 0..<40 {
                            let client = try await site.client()
                            try await client.send("GET", "/\(number % 4)", fields: number % 3 == 0 ? "Cache-Control: no-cache\r\n" : "")
                            if (number + lane) % 5 > 0 { #expect(try await client.response().status == 200) }
                            try await client.close()
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            try await site.underWay(0)
            #expect(site.responses.fills == 0 && site.responses.entries == 4)
            #expect(site.responses.beginRecording(site.responses.capacity / 4))
            for bound in site.proxy.loops {
                #expect(try await bound.eventLoop.submit { bound.value.coalescing.isEmpty }.get())
            }
        }
    }
}
