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

    @Test("an expectation of HTTP/1.0, which knows none, is ignored and not passed on", arguments: ["100-continue", "x"])
    func oldExpectation(value: String) async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("PUT / HTTP/1.0\r\nHost: a\r\nExpect: \(value)\r\nContent-Length: 4\r\n\r\nbody")
            #expect(try await client.response().body == "PUT / body")
        }
        #expect(upstream.requests.map { $0.values("expect") } == [[]])
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
