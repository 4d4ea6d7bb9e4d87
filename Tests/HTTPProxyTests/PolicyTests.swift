import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

/// A policy made of a function.
struct FunctionPolicy: RequestPolicy {
    let body: @Sendable (inout RequestContext, any EventLoop) -> PolicyDecision

    func decide(_ request: inout RequestContext, on eventLoop: any EventLoop) -> PolicyDecision { body(&request, eventLoop) }
}

@Suite("Policies and local answers", .timeLimit(.minutes(1)))
struct PolicyTests {
    @Test("policies change headers both ways, in order, at once or later")
    func changesHeaders() async throws {
        let upstream = try await TestUpstream.start()
        let now = FunctionPolicy { request, _ in
            do {
                try request.changes.setUpstream("X-User", "7")
                request.changes.removeUpstream("authorization")
                try request.changes.addResponse("RateLimit", "\"a\";r=1")
            } catch {
                return .answer(LocalResponse(status: .internalServerError))
            }
            return .next
        }
        let later = FunctionPolicy { request, _ in
            var changes = HeaderChanges()
            do { try changes.setUpstream("X-Role", request.head.first("x-claim") ?? "none") } catch {
                return .answer(LocalResponse(status: .internalServerError))
            }
            // On another event loop, to be waited for.
            return .wait(MultiThreadedEventLoopGroup.singleton.next().makeSucceededFuture(.nextChanging(changes)))
        }
        try await withProxy(everything(to: upstream.endpoint, policies: [now, later])) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send(
                "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nX-User: 1\r\nX-Claim: admin\r\nContent-Length: 4\r\n\r\nbody")
            let response = try await client.response()
            #expect(response.body == "POST / body")
            #expect(response["ratelimit"] == "\"a\";r=1")
        }
        let request = try #require(upstream.requests.first)
        #expect(request.values("x-user") == ["7"])
        #expect(request.values("x-role") == ["admin"])
        #expect(request.values("authorization") == [])
        try await upstream.stop()
    }

    @Test("a policy's answer ends the request before the upstream hears of it")
    func answers() async throws {
        let upstream = try await TestUpstream.start()
        let asked = Counter()
        let refuses = FunctionPolicy { request, _ in
            .answer(
                ProblemDocument(
                    status: .unauthorized, name: "unauthorized", sentence: "No token", headers: ["www-authenticate": "Bearer"]
                ).response(typePrefix: "urn:souk:problem:", instance: request.path))
        }
        let never = FunctionPolicy { _, _ in
            asked.increment()
            return .next
        }
        try await withProxy(everything(to: upstream.endpoint, policies: [refuses, never])) { _, port in
            let client = try await RawClient.connect(port: port)
            for _ in 0..<3 {
                let response = try await client.get("/x")
                #expect(response.status == 401 && response["www-authenticate"] == "Bearer" && response["x-request-id"] != nil)
            }
            try await client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
            #expect(try await client.response().status == 401)
        }
        #expect(upstream.requests.isEmpty && asked.value == 0)
        try await upstream.stop()
    }

    @Test("a policy or handler that fails is an opaque 500")
    func fails() async throws {
        struct Secret: Error {}
        let fails = FunctionPolicy { _, loop in .wait(loop.makeFailedFuture(Secret())) }
        let configuration = ProxyConfiguration(
            routes: [
                Route(name: "policy", path: .prefix("/policy"), target: .fixed(LocalResponse(status: .ok)), policies: [fails]),
                Route(name: "handler", path: .prefix("/handler"), target: .handler { _, loop in loop.makeFailedFuture(Secret()) }),
            ])
        try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port)
            for path in ["/policy", "/handler"] {
                let response = try await client.get(path)
                #expect(response.status == 500 && !response.body.contains("Secret"))
            }
        }
    }

    @Test("local handlers and fixed responses answer without an upstream, also HEAD and HTTP/1.0")
    func localTargets() async throws {
        let configuration = ProxyConfiguration(
            routes: [
                Route(
                    name: "health", path: .template("/health"),
                    target: .handler { request, _ in
                        let other = MultiThreadedEventLoopGroup.singleton.next()
                        return other.makeSucceededFuture(
                            LocalResponse(status: .ok, contentType: "text/plain", text: "\(request.routeName) \(request.clientAddress)"))
                    }),
                Route(name: "fixed", path: .template("/fixed"), target: .fixed(LocalResponse(status: .noContent))),
            ])
        try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port)
            #expect(try await client.get("/health").body == "health 127.0.0.1")
            try await client.send("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.response(isHead: true)["content-length"] == "16")
            let empty = try await client.get("/fixed")
            #expect(empty.status == 204 && empty["content-length"] == nil)
            let old = try await RawClient.connect(port: port)
            try await old.send("GET /health HTTP/1.0\r\n\r\n")
            #expect(try await old.receiveToEnd().contains("connection: close"))
            let kept = try await RawClient.connect(port: port)
            try await kept.send("GET /health HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            #expect(try await kept.response()["connection"] == "keep-alive")
        }
    }

    @Test("a header that could split the response is refused", arguments: ["a\r\nb", "a\nb", "a\0"])
    func headerInjection(value: String) {
        var changes = HeaderChanges()
        #expect(throws: InvalidHeaderField(name: "X")) { try changes.setUpstream("X", value) }
        #expect(throws: InvalidHeaderField(name: "X")) { try changes.addResponse("X", value) }
        #expect(throws: InvalidHeaderField(name: "X Y")) { try changes.setUpstream("X Y", "ok") }
    }

    @Test("each exchange is recorded once, with what happened")
    func records() async throws {
        let upstream = try await TestUpstream.start()
        let records = Collector<AccessRecord>()
        let measurements = Collector<ExchangeMeasurement>()
        let observer = ProxyObserver(access: { records.append($0) }, exchange: { measurements.append($0) })
        try await withProxy(everything(to: upstream.endpoint), observer: observer) { _, port in
            let client = try await RawClient.connect(port: port)
            try await client.send("POST /p?secret=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc\r\nContent-Length: 4\r\n\r\nbody")
            _ = try await client.response()
            try await client.send("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await client.receiveToEnd()
        }
        let first = try #require(records.values.first)
        #expect(records.values.count == 2 && measurements.values.count == 2)
        #expect(
            first.method == "POST" && first.path == "/p" && first.routeName == "all" && first.clusterName == "all" && first.status == 200)
        #expect(first.requestBytes == 4 && first.responseBytes == "POST /p?secret=1 body".utf8.count)
        #expect(first.requestID == "abc" && first.clientAddress == "127.0.0.1" && first.traceID.count == 32 && first.outcome == .proxied)
        #expect(first.upstreamEndpoint == upstream.endpoint && first.totalNanoseconds >= (first.upstreamNanoseconds ?? .max))
        #expect(first.unixNanoseconds > 1_700_000_000_000_000_000)
        #expect(upstream.requests.first?.values("traceparent").first?.contains(first.traceID) == true)
        #expect(records.values.last?.outcome == .failed(.malformedRequest))
        #expect(measurements.values.map(\.statusClass) == [2, 4])
        try await upstream.stop()
    }
}
