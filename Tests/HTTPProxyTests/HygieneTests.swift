import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

@Suite("What passes the proxy and what does not", .timeLimit(.minutes(1)))
struct HygieneTests {
    @Test("fields of one hop, fields named by Connection, reserved fields and claims about the client are not passed on")
    func requestFields() async throws {
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint)
        configuration.reservedHeaderPrefixes = ["X-Souk-"]
        try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port)
            _ = try await client.get(
                "/",
                "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: x\r\nProxy-Thing: x\r\nTE: gzip, trailers\r\n"
                    + "Upgrade: websocket\r\nX-Souk-User: 1\r\nX_Souk_User: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n"
                    + "X-Real-IP: 6.6.6.6\r\nTraceparent: 00-11111111111111111111111111111111-2222222222222222-01\r\nTracestate: a=b\r\nX-Kept: yes\r\nAccept: */*\r\n"
            )
        }
        let request = try #require(upstream.requests.first)
        for name in [
            "x-hop", "keep-alive", "proxy-authorization", "proxy-thing", "upgrade", "x-souk-user", "x_souk_user", "forwarded", "x-real-ip",
            "tracestate",
        ] {
            #expect(request.values(name) == [], "\(name) must not pass")
        }
        #expect(request.values("te") == ["trailers"])
        #expect(request.values("x-kept") == ["yes"])
        #expect(request.values("host") == ["shop.test"])
        #expect(request.values("x-forwarded-for") == ["127.0.0.1"])
        #expect(request.values("x-forwarded-proto") == ["http"])
        #expect(request.values("x-forwarded-host") == ["shop.test"])
        let trace = try #require(request.values("traceparent").first)
        #expect(request.values("traceparent").count == 1)
        #expect(trace.hasPrefix("00-") && trace.hasSuffix("-01") && trace.count == 55 && !trace.contains("1111111111"))
        try await upstream.stop()
    }

    @Test("a trusted proxy is believed; the client is the last address nobody trusted vouches for")
    func trustedProxy() async throws {
        let upstream = try await TestUpstream.start()
        let records = Collector<AccessRecord>()
        var configuration = everything(to: upstream.endpoint)
        configuration.trustedProxies = [AddressRange("127.0.0.0/8"), AddressRange("10.0.0.0/8")].compactMap { $0 }
        try await withProxy(configuration, observer: ProxyObserver(access: { records.append($0) })) { _, port in
            let client = try await RawClient.connect(port: port)
            _ = try await client.get(
                "/",
                "X-Forwarded-For: 1.1.1.1, 9.9.9.9, 10.0.0.3\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public.test\r\n"
                    + "Traceparent: 00-11111111111111111111111111111111-2222222222222222-01\r\nTracestate: a=b\r\n")
        }
        let request = try #require(upstream.requests.first)
        #expect(request.values("x-forwarded-for") == ["1.1.1.1, 9.9.9.9, 10.0.0.3, 127.0.0.1"])
        #expect(request.values("x-forwarded-proto") == ["https"])
        #expect(request.values("x-forwarded-host") == ["public.test"])
        #expect(request.values("traceparent") == ["00-11111111111111111111111111111111-2222222222222222-01"])
        #expect(request.values("tracestate") == ["a=b"])
        #expect(records.values.first?.clientAddress == "9.9.9.9")
        try await upstream.stop()
    }

    @Test("a good request id is kept, a bad one replaced, and the response carries the one that was sent on")
    func requestIDs() async throws {
        let upstream = try await TestUpstream.start(answer: { _ in
            TestUpstream.Response(headers: [
                "x-request-id": "upstream", "connection": "x-secret", "x-secret": "1", "keep-alive": "timeout=1", "x-kept": "1",
            ])
        })
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            let kept = try await client.get("/", "X-Request-Id: abc-123\r\n")
            #expect(kept["x-request-id"] == "abc-123")
            #expect(kept["x-secret"] == nil && kept["keep-alive"] == nil && kept["x-kept"] == "1")
            for bad in ["a b", "", String(repeating: "x", count: 129), "a\u{e9}", "<script>"] {
                let response = try await client.get("/", "X-Request-Id: \(bad)\r\n")
                let id = try #require(response["x-request-id"])
                #expect(id.count == 15 && id != bad)
                #expect(upstream.requests.last?.values("x-request-id") == [id])
            }
        }
        try await upstream.stop()
    }

    static let smuggling: [(String, String)] = [
        ("CL.TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"),
        ("TE.CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n"),
        ("TE.TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        ("TE list", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("TE vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{0B}chunked\r\n\r\n0\r\n\r\n"),
        ("TE xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("TE in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("TE space before colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("two equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
        ("length list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na"),
        ("signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"),
        ("negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na"),
        ("hex length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na"),
        ("huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\na"),
        ("empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\na"),
        ("obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
        ("first line folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        ("bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"),
        ("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
        ("bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
        ("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        ("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: ab\r\n\r\n"),
        ("name with a space", "GET / HTTP/1.1\r\nHost: a\r\nX Y: ab\r\n\r\n"),
        ("no name", "GET / HTTP/1.1\r\nHost: a\r\n: ab\r\n\r\n"),
        ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nabc\r\n\r\n"),
        ("no host", "GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("bad host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        ("host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        ("empty host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        ("authority that is not the host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("authority with user", "GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("no version", "GET /\r\nHost: a\r\n\r\n"),
        ("lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        ("bad method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("NUL in the path", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("eighth bit in the path", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("chunk extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n"),
        ("chunk size overflow", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n"),
        ("chunk size signed", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n"),
        ("chunk size with 0x", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n"),
        ("chunk with bare LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n"),
        ("chunk longer than said", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n"),
        ("trailer with bare LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\n\r\n"),
    ]

    @Test(
        "what two servers could read differently is refused with 400 and a close, and a complete one never reaches the upstream",
        arguments: smuggling)
    func smugglingRefused(name: String, request: String) async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = try await client.receiveToEnd()
            #expect(text.hasPrefix("HTTP/1.1 400 "), "\(name): \(text)")
            #expect(text.contains("connection: close\r\n"))
            #expect(text.components(separatedBy: "HTTP/1.1 ", limit: 9).count == 2, "one response only")
            #expect(text.contains("application/problem+json"))
        }
        #expect(upstream.requests.isEmpty)
        try await upstream.stop()
    }

    @Test(
        "other refusals have their own status",
        arguments: [
            ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405), ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET /" + String(repeating: "a", count: 33_000), 431),
            ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: 1\r\n", count: 101) + "\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 33_000) + "\r\n\r\n", 431),
        ])
    func otherRefusals(request: String, status: Int) async throws {
        try await withProxy(everything(to: Endpoint(host: "127.0.0.1", port: 1))) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(request)
            #expect(try await client.receiveToEnd().hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test(
        "a blocked path is unroutable, however it is spelled",
        arguments: [
            "/internal", "/internal/events", "//internal", "/%69nternal", "/api/../internal", "/INTERNAL/x", "/%2e/internal",
            "/api/%2e%2e/internal",
            "/api/..%2finternal", "/internal;a=b/x", "/./internal", "/internal/", "/internal?x", "http://a/internal", "///%49nternal//x",
        ])
    func blockedPath(path: String) async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            let status = try await client.response().status
            #expect(status == 404 || status == 400)
        }
        #expect(upstream.requests.isEmpty)
        try await upstream.stop()
    }

    @Test("a problem document says what happened")
    func problemDocument() async throws {
        try await withProxy(ProxyConfiguration(routes: [])) { _, port in
            let client = try await RawClient.connect(port: port)
            let response = try await client.get("/no\"where")
            #expect(response.status == 400)
            let other = try await RawClient.connect(port: port).get("/nowhere?secret=1")
            #expect(other.status == 404)
            #expect(other["content-type"] == "application/problem+json")
            #expect(
                other.body
                    == #"{"type":"urn:souk:problem:not-found","title":"Not Found","status":404,"detail":"Nothing was found at this path","instance":"/nowhere","error":"Nothing was found at this path"}"#
            )
        }
    }
}
