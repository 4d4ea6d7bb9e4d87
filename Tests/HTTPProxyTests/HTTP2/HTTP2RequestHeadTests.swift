import NIOCore
import NIOHPACK
import Testing

@testable import HTTPProxy

@Suite("Requests of HTTP/2 as heads of HTTP/1.1")
struct HTTP2RequestHeadTests {
    private static func read(_ fields: [(String, String)], hasBody: Bool = false, maximumFields: Int = 100) -> Result<
        RequestHead, ProxyFailure
    > {
        HTTP2RequestHead.read(
            HPACKHeaders(fields), hasBody: hasBody, limits: HeadLimits(maximumBytes: 1024, maximumFields: maximumFields),
            allocator: ByteBufferAllocator())
    }

    private static func line(_ method: String = "GET", _ path: String = "/", authority: String? = "a") -> [(String, String)] {
        [(":method", method), (":scheme", "https")] + (authority.map { [(":authority", $0)] } ?? []) + [(":path", path)]
    }

    @Test("fields, path and query are those that came, and the authority is the host")
    func translated() throws {
        let head = try Self.read(Self.line("PUT", "/a/b?c=d") + [("x-a", "1"), ("x-a", " 2 "), ("te", "trailers")]).get()
        #expect(
            String(buffer: head.bytes) == "PUT /a/b?c=d HTTP/1.1\r\nhost: a\r\nx-a: 1\r\nx-a:  2 \r\nte: trailers\r\n\r\n")
        #expect(head.method == "PUT" && head.path == "/a/b" && head.query == "c=d" && head.host == "a")
        #expect(head.values("X-A") == ["1", "2"])
        #expect(head.framing == .none && head.keepsAlive && head.facts.acceptsTrailers)
    }

    @Test("a body without a length is sent on in chunks, one with a length by its length")
    func framing() throws {
        #expect(try Self.read(Self.line("POST"), hasBody: true).get().framing == .chunked)
        #expect(try Self.read(Self.line("POST") + [("content-length", "3")], hasBody: true).get().framing == .length(3))
    }

    @Test("pieces of a cookie are put together")
    func cookies() throws {
        let head = try Self.read(Self.line() + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]).get()
        #expect(head.values("cookie") == ["a=1; b=2"])
    }

    @Test("a Host beside the authority must say the same; alone it stands for it")
    func host() throws {
        #expect(try Self.read(Self.line() + [("host", "a")]).get().values("host") == ["a"])
        #expect(try Self.read(Self.line(authority: nil) + [("host", "b")]).get().host == "b")
    }

    @Test(
        "what HTTP/1.1 could read as something else is refused",
        arguments: [
            [(":method", "GET"), (":scheme", "https"), (":path", "/")],
            line() + [("host", "b")],
            line() + [("host", "a"), ("host", "a")],
            line(authority: nil) + [("host", "a"), ("host", "a")],
            line(authority: "a\r\nx: y"), line(authority: "user@a"), line(authority: ""), line(authority: "a/b"),
            line("GET /x HTTP/1.1\r\nhost: b\r\n\r\nGET"), line("G T"), line(""), line("CONNECT"), line("TRACE"),
            line("GET", "/ HTTP/1.1\r\nx: y"), line("GET", "/a b"), line("GET", ""), line("GET", "a"), line("GET", "*"),
            line("GET", "http://b/"), line("GET", "//b/../../c"), line("GET", "/a#b"), line("GET", "/%00"),
            line() + [("x", "1\r\ny: 2")], line() + [("x", "1\ny: 2")], line() + [("x", "\0")],
            line() + [("x: y\r\nz", "1")], line() + [("x y", "1")], line() + [("", "1")],
            line() + [("transfer-encoding", "chunked")], line() + [("connection", "close")], line() + [("connection", "x")],
            line() + [("upgrade", "websocket")], line() + [("keep-alive", "1")], line() + [("proxy-connection", "keep-alive")],
            line() + [("content-length", "1"), ("content-length", "1")], line() + [("content-length", "+1")],
            line() + [("content-length", "1, 1")],
            line() + [(":path", "/b")], line() + [(":protocol", "websocket")], line() + [(":status", "200")],
            [(":method", "GET"), (":scheme", "ftp"), (":authority", "a"), (":path", "/")],
            [(":method", "GET"), (":authority", "a"), (":path", "/")], [(":scheme", "https"), (":authority", "a"), (":path", "/")],
        ] as [[(String, String)]])
    func refused(_ fields: [(String, String)]) {
        guard case .failure(let failure) = Self.read(fields) else {
            Issue.record("\(fields) was accepted")
            return
        }
        #expect(failure.status == 400 || failure == .methodRefused)
    }

    @Test("a head that is too long, or has too many fields, is refused")
    func limits() {
        let long = Self.read(Self.line() + [("x", String(repeating: "y", count: 1024))])
        #expect(throws: ProxyFailure.headTooLarge) { try long.get() }
        let many = Self.read(Self.line() + [("x", "1"), ("y", "2")], maximumFields: 2)
        #expect(throws: ProxyFailure.headTooLarge) { try many.get() }
    }
}
