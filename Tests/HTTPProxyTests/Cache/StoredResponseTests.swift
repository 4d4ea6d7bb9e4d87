import NIOCore
import Testing

@testable import HTTPProxy

@Suite("A stored response")
struct StoredResponseTests {
    private static func isKnown(_ stored: [String], _ request: [String]) throws -> Bool {
        try CacheFixture.stored("body", stored).isKnown(to: CacheFixture.request("GET", "/", request))
    }

    @Test("it keeps what the service said, without the fields of the hop, the id and the age, and states its length")
    func head() throws {
        let stored = try CacheFixture.stored(
            "hello",
            [
                "Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Transfer-Encoding: chunked", "X-Request-Id: 7",
                "Age: 3", "ETag: \"a\"", "X-Own: 1", "X-Own: 2",
            ])
        let text = String(buffer: stored.head.bytes)
        #expect(
            text
                == "HTTP/1.1 200 X\r\nCache-Control: public, max-age=60\r\nETag: \"a\"\r\nX-Own: 1\r\nX-Own: 2\r\n"
                + "date: \(CacheFixture.date)\r\ncontent-length: 5\r\n\r\n")
        #expect(stored.head.framing == .length(5) && stored.head.status == 200)
        #expect(String(buffer: try CacheFixture.stored("", ["Date: \(CacheFixture.date)"]).head.bytes).ranges(of: "GMT").count == 1)
    }

    @Test(
        "a client that has it already is told so, by tags, which may be weak",
        arguments: [
            ("\"a\"", "\"a\"", true), ("\"a\"", "W/\"a\"", true), ("W/\"a\"", "\"a\"", true), ("W/\"a\"", "w/\"b\", W/\"a\"", true),
            ("\"a,b\"", "\"x\",\"a,b\"", true), ("\"a\"", "*", true), ("\"a\"", "\"b\"", false), ("\"a\"", "a", false),
            ("\"a\"", "", false), ("\"a,b\"", "\"a\", \"b\"", false), ("\"*\"", "\"a\"", false), ("\"a\"", "\"a", false),
        ])
    func tags(stored: String, request: String, isKnown: Bool) throws {
        #expect(try Self.isKnown(["ETag: \(stored)"], ["If-None-Match: \(request)"]) == isKnown)
    }

    @Test("by dates only when it sends no tags, and then only by what is a date")
    func dates() throws {
        let modified = "Last-Modified: \(CacheFixture.date)"
        #expect(try Self.isKnown([modified], ["If-Modified-Since: \(CacheFixture.date)"]))
        #expect(try Self.isKnown([modified], ["If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT"]))
        #expect(try !Self.isKnown([modified], ["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"]))
        #expect(try !Self.isKnown([modified], ["If-Modified-Since: yesterday"]))
        #expect(try !Self.isKnown([], ["If-Modified-Since: \(CacheFixture.date)"]))
        #expect(try !Self.isKnown([modified, "ETag: \"a\""], ["If-Modified-Since: \(CacheFixture.date)", "If-None-Match: \"b\""]))
        #expect(try !Self.isKnown([modified], ["If-None-Match: \"b\"", "If-Modified-Since: \(CacheFixture.date)"]))
    }

    @Test("what is said then has everything but what describes the body")
    func notModified() throws {
        let stored = try CacheFixture.stored(
            "hello",
            [
                "ETag: \"a\"", "Content-Type: text/plain", "Content-Language: en", "Last-Modified: \(CacheFixture.date)", "Vary: accept",
                "Content-Location: /x", "Expires: 0", "Date: \(CacheFixture.date)",
            ])
        let head = try #require(stored.notModified)
        #expect(head.status == 304 && head.framing == .none)
        for name in ["etag", "cache-control", "vary", "content-location", "expires", "date"] { #expect(head.hasField(name), "\(name)") }
        for name in ["content-type", "content-language", "content-length", "last-modified"] { #expect(!head.hasField(name), "\(name)") }
    }
}
