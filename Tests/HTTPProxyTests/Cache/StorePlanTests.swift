import NIOCore
import Testing

@testable import HTTPProxy

@Suite("Which responses are stored, and which requests are answered from the store")
struct StorePlanTests {
    private static let good = "Cache-Control: public, max-age=60"

    private static func plan(_ status: Int = 200, _ fields: [String], body: String = "12345") throws -> StorePlan? {
        let moment = Freshness.Moment(requestedAt: 0, receivedAt: 0, unixSeconds: CacheFixture.unixSeconds)
        return StorePlan(try CacheFixture.response(status, fields, body: body), maximumBytes: 10, moment)
    }

    @Test("a response is stored when it says that it is for everybody, and for how long", arguments: [200, 301, 308, 404, 410])
    func stored(status: Int) throws {
        #expect(try Self.plan(status, [Self.good])?.length == 5)
        #expect(try Self.plan(status, ["Cache-Control: public", "Expires: Sun, 06 Nov 1994 09:49:37 GMT"]) != nil)
        #expect(try Self.plan(status, [Self.good, "Transfer-Encoding: chunked"])?.length == nil)
        #expect(try Self.plan(status, [Self.good, "Transfer-Encoding: chunked"]) != nil)
    }

    @Test(
        "nothing else is stored",
        arguments: [
            [], ["Cache-Control: max-age=60"], ["Cache-Control: public"], ["Cache-Control: public, max-age=60, private"],
            ["Cache-Control: public, max-age=60, private=\"x, y\""], ["Cache-Control: public, max-age=60", "Cache-Control: No-Store"],
            ["Cache-Control: public, max-age=60, no-cache"], ["Cache-Control: public, max-age=60, no-cache=\"set-cookie\""],
            ["Cache-Control: public, max-age=60; x"], ["Cache-Control: public max-age=60"], ["Cache-Control: public, max-age=60, \"a"],
            ["Cache-Control: \"public, max-age=60\""], ["Cache-Control: x=\"public\", max-age=60"],
            [good, "Set-Cookie: a=b"], [good, "Vary: *"], [good, "Vary: accept, *"], [good, "Vary: a b"],
            [good, "Vary: X-Request-Id"], [good, "Vary: X-Forwarded-For"], [good, "Vary: Traceparent"],
            [good, "Vary: a1, a2, a3, a4, a5, a6, a7, a8, a9"], [good, "Content-Encoding: gzip"],
            [good, "Content-Encoding: br", "Vary: a"],
            [good, "Content-Length: 11"],
        ])
    func notStored(fields: [String]) throws {
        #expect(try Self.plan(200, fields) == nil)
    }

    @Test("no other status is stored", arguments: [201, 202, 203, 204, 206, 302, 303, 304, 307, 400, 401, 403, 405, 429, 500, 503])
    func otherStatus(status: Int) throws {
        #expect(try Self.plan(status, [Self.good]) == nil)
    }

    @Test("a body that only ends with its connection is not stored: nobody knows whether it is whole")
    func untilClose() throws {
        let head = try CacheFixture.response(200, [Self.good, "Transfer-Encoding: chunked"])
        #expect(head.framing == .chunked)
        let bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\n\(Self.good)\r\n\r\n")
        var parser = HeadParser(limits: HeadLimits(maximumBytes: 1000, maximumFields: 10))
        _ = bytes.withUnsafeReadableBytes { parser.parse($0) }
        let open = try #require(
            ResponseHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength, isHead: false))
        let moment = Freshness.Moment(requestedAt: 0, receivedAt: 0, unixSeconds: 0)
        #expect(open.framing == .untilClose && StorePlan(open, maximumBytes: 10, moment) == nil)
    }

    @Test("the fields that it depends on are told once each, whatever their case; the host is in the key")
    func vary() throws {
        #expect(
            try Self.plan(200, [Self.good, "Vary: Accept, HOST", "Vary: accept-encoding, ACCEPT"])?.vary == ["accept", "accept-encoding"])
        #expect(try Self.plan(200, [Self.good, "Content-Encoding: gzip", "Vary: Accept-Encoding"]) != nil)
    }

    // MARK: Requests

    private static func use(_ fields: [String], method: String = "GET") throws -> CacheRequest.Use {
        CacheRequest(try CacheFixture.request(method, "/", fields)).use
    }

    @Test(
        "a request that asks for more than the key tells of has no part in the cache",
        arguments: [
            ["Range: bytes=0-1"], ["If-Range: \"a\""], ["If-Match: \"a\""], ["If-Unmodified-Since: \(CacheFixture.date)"],
            ["Cache-Control: no-store"], ["Content-Length: 3"], ["Content-Length: 0"], ["Transfer-Encoding: chunked"],
            ["Upgrade: websocket", "Connection: upgrade"], ["Expect: 100-continue"], ["Connection: accept-language"],
            ["X-Original-URL: /admin"], ["x-rewrite-url: /admin"], ["X-HTTP-Method-Override: POST"], ["X-HTTP-Method: PUT"],
            ["X-Method-Override: PUT"], ["X-Host: evil.test"], ["X-Original-Host: evil.test"],
        ])
    func bypasses(fields: [String]) throws {
        #expect(try Self.use(fields) == .bypass)
        #expect(try Self.use(fields + ["Cache-Control: no-cache"]) == .bypass)
    }

    @Test(
        "a request may ask for a fresh response",
        arguments: [
            ["Cache-Control: no-cache"], ["Cache-Control: max-age=0"], ["Cache-Control: max-age=x"], ["Cache-Control: a b"],
            ["Pragma: no-cache"], ["Pragma: x, No-Cache"], ["If-None-Match: \"a\"", "Cache-Control: no-cache"],
        ])
    func refreshes(fields: [String]) throws {
        #expect(try Self.use(fields) == .refresh)
    }

    @Test(
        "all others look into the store",
        arguments: [
            [], ["Connection: close"], ["Connection: keep-alive"], ["Cookie: a=b"], ["Authorization: Bearer a"], ["If-None-Match: \"a\""],
            ["Cache-Control: max-age=5"], ["Pragma: no-cache", "Cache-Control: max-age=5"], ["Cache-Control: max-stale"], ["Pragma: x"],
        ])
    func looksUp(fields: [String]) throws {
        #expect(try Self.use(fields) == .lookUp)
        #expect(try Self.use(fields, method: "HEAD") == .lookUp)
    }

    @Test("a request may ask for a response that is not too old, and will be good for a while")
    func demands() throws {
        let freshness = try CacheFixture.stored(seconds: 60).freshness
        func accepts(_ directive: String, atSecond second: Int64) throws -> Bool {
            CacheRequest(try CacheFixture.request("GET", "/", ["Cache-Control: \(directive)"])).accepts(
                freshness, at: second * 1_000_000_000)
        }
        #expect(try accepts("max-age=5", atSecond: 5))
        #expect(try !accepts("max-age=5", atSecond: 6))
        #expect(try accepts("min-fresh=10", atSecond: 50))
        #expect(try !accepts("min-fresh=10", atSecond: 51))
        #expect(try !accepts("min-fresh=soon", atSecond: 0))
        #expect(try accepts("max-stale=100", atSecond: 59))
    }
}
