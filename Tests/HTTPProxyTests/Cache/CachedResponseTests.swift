import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

@Suite("Responses from the cache", .timeLimit(.minutes(1)))
struct CachedResponseTests {
    private static let text = String(repeating: "All work and no play. ", count: 500)

    @Test("what is stored is given again without the service, with its age and how long it will be good")
    func hit() async throws {
        try await CacheSite.run { site in
            let client = try await site.client()
            let first = try await client.get("/a?x=1")
            #expect(first.body == "GET /a?x=1" && first["cache-status"] == "souk; fwd=miss" && first["age"] == nil)
            site.clock.advance(seconds: 19.5)
            let second = try await client.get("/a?x=1")
            #expect(second.status == 200 && second.body == "GET /a?x=1" && second["content-length"] == "10")
            #expect(second["cache-status"] == "souk; hit; ttl=41" && second["age"] == "19")
            #expect(second["cache-control"] == "public, max-age=60" && second["x-request-id"] != first["x-request-id"])
            #expect(site.upstream.requests.count == 1)
            // Another query is another response.
            #expect(try await client.get("/a?x=2").body == "GET /a?x=2")
            site.clock.advance(seconds: 40.5)
            #expect(try await client.get("/a?x=1")["cache-status"] == "souk; fwd=stale")
            #expect(try await client.get("/a?x=1")["age"] == "0")
            #expect(site.upstream.requests.count == 3)
        }
    }

    @Test("a hit on one event loop is a hit on all")
    func shared() async throws {
        try await CacheSite.run(threads: 4) { site in
            #expect(try await site.client().get("/a").status == 200)
            for _ in 0..<8 {
                let answer = try await site.client().get("/a")
                #expect(answer["cache-status"]?.hasPrefix("souk; hit") == true)
            }
            #expect(site.upstream.requests.count == 1)
        }
    }

    @Test("HEAD is answered with a stored response to GET, and is never stored itself")
    func head() async throws {
        try await CacheSite.run { site in
            let client = try await site.client()
            try await client.send("HEAD", "/a")
            #expect(try await client.response(isHead: true)["cache-status"] == "souk; fwd=miss")
            #expect(site.responses.entries == 0)
            #expect(try await client.get("/a")["cache-status"] == "souk; fwd=miss")
            try await client.send("HEAD", "/a")
            let answer = try await client.response(isHead: true)
            #expect(answer["cache-status"] == "souk; hit; ttl=60" && answer["content-length"] == "6")
            // Nothing stands between this answer and the next.
            #expect(try await client.get("/a").body == "GET /a")
            #expect(site.asked == ["HEAD /a", "GET /a"])
        }
    }

    @Test("who has it already gets a 304 with what a cache goes by, and no body")
    func notModified() async throws {
        let fields = [
            ("etag", "W/\"7\""), ("content-type", "text/plain"), ("vary", "accept-language"), ("last-modified", CacheFixture.date),
            ("expires", "0"),
        ]
        try await CacheSite.run(answer: { _ in CacheSite.shared(Self.text, fields) }) { site in
            let client = try await site.client()
            _ = try await client.get("/a")
            for condition in ["If-None-Match: \"x\", \"7\"", "If-Modified-Since: \(CacheFixture.date)"] {
                let answer = try await client.get("/a", "\(condition)\r\nAccept-Encoding: gzip\r\n")
                #expect(answer.status == 304 && answer.body.isEmpty && answer["content-length"] == nil && answer["content-type"] == nil)
                #expect(answer["etag"] == "W/\"7\"" && answer["age"] == "0" && answer["cache-status"] == "souk; hit; ttl=60")
                #expect(answer["cache-control"] != nil && answer["date"] != nil && answer["expires"] == "0")
                let head = answer.head.lowercased()
                #expect(head.contains("vary: accept-language") && head.contains("vary: accept-encoding"))
            }
            #expect(try await client.get("/a", "If-None-Match: \"8\"\r\n").body == Self.text)
            #expect(site.upstream.requests.count == 1)
        }
    }

    @Test("what a client asks under a condition is asked so, and its 304 is not stored")
    func conditionalMiss() async throws {
        try await CacheSite.run(
            answer: { request in
                request.values("if-none-match") == []
                    ? CacheSite.shared("whole", [("etag", "\"1\"")])
                    : CacheSite.Response(status: .notModified, headers: ["cache-control": "public, max-age=60", "etag": "\"1\""])
            }
        ) { site in
            let client = try await site.client()
            try await client.send("GET", "/a", fields: "If-None-Match: \"1\"\r\n")
            #expect(try await client.response(isHead: true).status == 304)
            #expect(site.responses.entries == 0 && site.responses.fills == 0)
            #expect(try await client.get("/a").body == "whole")
            #expect(try await client.get("/a", "If-None-Match: \"1\"\r\n").status == 304)
            #expect(site.upstream.requests.count == 2)
        }
    }

    @Test("a hit is compressed for who takes it, as any response is")
    func compressed() async throws {
        try await CacheSite.run(answer: { _ in CacheSite.shared(Self.text, [("content-type", "text/plain")]) }) { site in
            #expect(try await site.client().get("/a").body == Self.text)
            let client = try await site.client()
            try await client.send("GET", "/a", fields: "Accept-Encoding: gzip\r\nConnection: close\r\n")
            let message = try await client.bytesToEnd()
            let end = try #require(message.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound)
            let head = String(decoding: message.readableBytesView[..<end], as: UTF8.self).lowercased()
            #expect(head.contains("content-encoding: gzip") && head.contains("vary: accept-encoding") && head.contains("souk; hit"))
            var (rest, all) = (try #require(message.getSlice(at: end, length: message.writerIndex - end)), ByteBuffer())
            var decoder = BodyDecoder(framing: .chunked, allowsChunkExtensions: false)
            while case .data(let piece) = decoder.next(&rest) { all.writeImmutableBuffer(piece) }
            #expect(CompressionTests.gunzip(all) == Self.text)
            let plain = try await site.client()
            try await plain.send("HEAD", "/a", fields: "Accept-Encoding: gzip\r\n")
            #expect(try await plain.response(isHead: true)["content-encoding"] == "gzip")
            #expect(try await plain.get("/a").body == Self.text)
            #expect(site.upstream.requests.count == 1)
        }
    }

    @Test("clients of HTTP/2 get the same hits")
    func http2() async throws {
        try await CacheSite.run(configure: { $0.http2.isCleartextAllowed = true }) { site in
            #expect(try await site.client().get("/a").body == "GET /a")
            let client = try await HTTP2Client.connect(port: site.port)
            let answer = try await client.get("/a")
            #expect(answer.body == "GET /a" && answer["cache-status"] == "souk; hit; ttl=60" && answer["age"] == "0" && answer.isEnded)
            let head = try await client.request("HEAD", "/a")
            #expect(head.status == 200 && head["content-length"] == "6" && head.body.isEmpty && head.isEnded)
            #expect(site.upstream.requests.count == 1)
            try await client.close()
        }
    }

    @Test(
        "a client may ask for a fresh one, which takes the place of what is stored",
        arguments: ["Cache-Control: no-cache", "Pragma: no-cache"])
    func refresh(field: String) async throws {
        let count = Counter()
        try await CacheSite.run(answer: { _ in CacheSite.shared("\(count.increment())") }) { site in
            let client = try await site.client()
            #expect(try await client.get("/a").body == "1")
            let fresh = try await client.get("/a", "\(field)\r\n")
            #expect(fresh.body == "2" && fresh["cache-status"] == "souk; fwd=request")
            #expect(try await client.get("/a").body == "2")
            #expect(site.responses.entries == 1)
            site.clock.advance(seconds: 10)
            #expect(try await client.get("/a", "Cache-Control: max-age=9\r\n").body == "3")
        }
    }

    @Test("a client may ask for what is stored and nothing else: without it 504")
    func onlyStored() async throws {
        try await CacheSite.run { site in
            let client = try await site.client()
            let missing = try await client.get("/a", "Cache-Control: only-if-cached\r\n")
            #expect(missing.status == 504 && missing.body.contains("urn:souk:problem:not-stored") && site.asked == [])
            _ = try await client.get("/a")
            #expect(try await client.get("/a", "Cache-Control: only-if-cached\r\n").body == "GET /a")
            #expect(try await client.get("/a", "Cache-Control: only-if-cached, no-cache\r\n").status == 504)
            #expect(site.asked.count == 1)
        }
    }

    @Test("policies hold for what is stored as for all else, and what they add is each request's own")
    func policies() async throws {
        let policy = FunctionPolicy { request, _ in
            guard let token = request.head.first("authorization") else { return .answer(LocalResponse(status: .unauthorized)) }
            do { try request.changes.addResponse("X-Left", token) } catch { return .answer(LocalResponse(status: .internalServerError)) }
            return .next
        }
        try await CacheSite.run(
            configure: {
                $0.routes[0].policies = [policy]
                $0.routes[0].addsSecurityHeaders = true
            }
        ) { site in
            let client = try await site.client()
            #expect(try await client.get("/a", "Authorization: one\r\n")["x-left"] == "one")
            let hit = try await client.get("/a", "Authorization: two\r\n")
            #expect(hit["cache-status"] == "souk; hit; ttl=60" && hit["x-left"] == "two" && hit["x-frame-options"] == "DENY")
            #expect(!hit.head.contains("one"))
            let refused = try await client.get("/a")
            #expect(refused.status == 401 && refused["cache-status"] == nil)
        }
    }

    @Test("a route without a cache keeps nothing and says nothing of one")
    func off() async throws {
        try await CacheSite.run(configure: { configuration in
            configuration.routes[0].cache = nil
            var other = Route(name: "other", path: .prefix("/other"), target: .cluster("all"))
            other.cache = RouteCache()
            configuration.routes.append(other)
        }) { site in
            let client = try await site.client()
            for _ in 0..<2 { #expect(try await client.get("/a")["cache-status"] == nil) }
            #expect(site.asked.count == 2 && site.responses.entries == 0)
        }
    }

    @Test("when another cluster or another path answers since a reload, nobody gets what the old one said")
    func reload() async throws {
        let other = try await TestUpstream.start(answer: { CacheSite.shared("other \($0.head.uri)") })
        try await CacheSite.run { site in
            let client = try await site.client()
            #expect(try await client.get("/a").body == "GET /a")
            var configuration = CacheSite.cached(everything(to: site.upstream.endpoint))
            try await site.proxy.reload(configuration)
            #expect(try await client.get("/a")["cache-status"] == "souk; hit; ttl=60")
            configuration.clusters.append(Cluster(name: "next", endpoints: [other.endpoint]))
            configuration.routes[0].target = .cluster("next")
            try await site.proxy.reload(configuration)
            #expect(try await client.get("/a").body == "other /a")
            configuration.routes[0].rewrite = "/v2"
            try await site.proxy.reload(configuration)
            #expect(try await client.get("/a").body == "other /v2/a")
            configuration.routes[0].cache = nil
            try await site.proxy.reload(configuration)
            #expect(try await client.get("/a")["cache-status"] == nil)
        }
        try await other.stop()
    }

    @Test("how the cache took part is recorded, and counted, of routes that cache")
    func recorded() async throws {
        let (records, measurements) = (Collector<AccessRecord>(), Collector<ExchangeMeasurement>())
        let observer = ProxyObserver(access: { records.append($0) }, exchange: { measurements.append($0) })
        try await CacheSite.run(observer: observer) { site in
            let client = try await site.client()
            for _ in 0..<2 { _ = try await client.get("/a") }
            _ = try await client.get("/a", "Cache-Control: no-store\r\n")
            let posted = try await client.post("/a")
            #expect(posted["cache-status"] == "souk; fwd=method")
            let status = try await site.proxy.status()
            #expect(status.cache.entries == 0 && status.cache.bytes == 0 && status.cache.capacity == 64 << 20)
        }
        #expect(records.values.map(\.cache) == [.miss, .hit, .bypass, .bypass])
        #expect(measurements.values.map(\.cache) == [.miss, .hit, .bypass, .bypass])
        #expect(records.values.map(\.outcome) == [.proxied, .answered, .proxied, .proxied])
        #expect(records.values[1].upstreamEndpoint == nil && records.values[1].responseBytes == 6)
    }
}
