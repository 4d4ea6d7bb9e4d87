import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

@Suite("What the cache does not keep, and how much it takes", .timeLimit(.minutes(1)))
struct CacheLimitTests {
    private static let start = "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\n"

    /// Asks an upstream that answers with these bytes, twice.
    private static func isKept(_ answer: String, closes: Bool = false) async throws -> Bool {
        let count = Counter()
        let upstream = try await RawUpstream.start { channel, _, _ in
            count.increment()
            channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
            if closes { channel.close(promise: nil) }
        }
        var configuration = CacheSite.cached(everything(to: upstream.endpoint))
        configuration.routes[0].retries = .none
        let responses = ResponseCache()
        try await withProxy(configuration, responses: responses) { _, port in
            for _ in 0..<2 {
                let client = try await RawClient.connect(port: port)
                try await client.send("GET", "/a", fields: "Connection: close\r\n")
                _ = try await client.receiveToEnd()
            }
        }
        try await upstream.stop()
        #expect(responses.fills == 0 && responses.beginRecording(responses.capacity / 4))
        return count.value == 1
    }

    @Test("only a body that is surely whole is kept")
    func whole() async throws {
        #expect(try await Self.isKept(Self.start + "Content-Length: 5\r\n\r\nwhole"))
        #expect(try await Self.isKept(Self.start + "Content-Length: 0\r\n\r\n"))
        #expect(try await Self.isKept(Self.start + "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n"))
        #expect(try await !Self.isKept(Self.start + "Content-Length: 50\r\n\r\ntruncated", closes: true))
        #expect(try await !Self.isKept(Self.start + "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n", closes: true))
        #expect(try await !Self.isKept(Self.start + "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\nx\r\n", closes: true))
        #expect(try await !Self.isKept(Self.start + "\r\nuntil the end", closes: true))
        #expect(try await !Self.isKept(Self.start + "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\nX-Sum: 1\r\n\r\n"))
    }

    @Test("a body that is longer than a route keeps is passed on whole", arguments: [nil, ["0123456789", "x"]])
    func tooLong(chunks: [String]?) async throws {
        try await CacheSite.run(
            answer: { _ in CacheSite.shared("0123456789x", chunks: chunks) },
            configure: { $0.routes[0].cache?.maximumBodyBytes = 10 }
        ) { site in
            for _ in 0..<2 {
                let client = try await site.client()
                try await client.send("GET", "/a", fields: "Connection: close\r\n")
                let text = try await client.receiveToEnd()
                #expect(text.contains("0123456789") && text.contains("x"))
            }
            #expect(site.asked.count == 2 && site.responses.entries == 0 && site.responses.fills == 0)
        }
    }

    @Test("a flood of addresses stays within what the configuration allows, and reloading can make it less")
    func flood() async throws {
        let body = String(repeating: "x", count: 20_000)
        try await CacheSite.run(answer: { _ in CacheSite.shared(body) }, configure: { $0.cacheBytes = 1 << 20 }) { site in
            let client = try await site.client()
            for number in 0..<200 {
                #expect(try await client.get("/\(number)").status == 200)
                #expect(site.responses.bytes <= 1 << 20)
            }
            let before = try await site.proxy.status().cache
            #expect(before.entries > 10 && before.entries < 60 && before.capacity == 1 << 20)
            var configuration = CacheSite.cached(everything(to: site.upstream.endpoint))
            configuration.cacheBytes = 1 << 17
            try await site.proxy.reload(configuration)
            #expect(try await site.proxy.status().cache.bytes <= 1 << 17)
        }
    }

    @Test("an address or a list of values that is very long is passed on; of one address only some variants are kept")
    func extremes() async throws {
        try await CacheSite.run(answer: { _ in CacheSite.shared("ok", [("vary", "accept-language")]) }) { site in
            let client = try await site.client()
            let long = "/" + String(repeating: "x", count: 9_000)
            for _ in 0..<2 { #expect(try await client.get(long)["cache-status"] == "souk; fwd=bypass") }
            for number in 0..<50 { #expect(try await client.get("/a", "Accept-Language: \(number)\r\n").status == 200) }
            #expect(site.responses.entries == CacheStripe.maximumVariants)
            #expect(try await client.get("/a", "Accept-Language: 49\r\n")["cache-status"] == "souk; hit; ttl=60")
            #expect(try await client.get("/a", "Accept-Language: 0\r\n")["cache-status"] == "souk; fwd=vary-miss")
        }
    }

    @Test("a client that does not read takes no more of a stored body than one that is proxied")
    func backpressure() async throws {
        // More than the sockets' own buffers hold.
        let size = 16 << 20
        let body = String(repeating: "x", count: size)
        let records = Collector<AccessRecord>()
        try await CacheSite.run(
            observer: ProxyObserver(access: { records.append($0) }), answer: { _ in CacheSite.shared(body) },
            configure: {
                $0.cacheBytes = 256 << 20
                $0.routes[0].cache?.maximumBodyBytes = size
            }
        ) { site in
            let reader = try await site.client()
            #expect(try await reader.get("/a").body.utf8.count == size)
            let sleeper = try await RawClient.connect(port: site.port, reads: false)
            try await sleeper.send("GET", "/a", fields: "Connection: close\r\n")
            await site.arrivals.wait(for: 2)
            // Others are served meanwhile; it is not, for it does not take what is there.
            try await reader.send("HEAD", "/a")
            #expect(try await reader.response(isHead: true)["cache-status"] == "souk; hit; ttl=60")
            #expect(records.values.map(\.method) == ["GET", "HEAD"])
            try await sleeper.startReading()
            #expect(try await sleeper.bytesToEnd().readableBytes > size)
        }
        #expect(records.values.last?.cache == .hit && records.values.last?.responseBytes == size)
    }
}
