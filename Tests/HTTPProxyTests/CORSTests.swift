import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

@Suite("Other origins, and careful browsers", .timeLimit(.minutes(1)))
struct CORSTests {
    private static let everybody = CORS(origins: ["*"])
    private static let shop = CORS(origins: ["https://shop.example"])

    /// A GET and a DELETE route for which nobody is let in, with an upstream that has an opinion of its own about origins.
    private static func withRoutes(_ cors: CORS?, _ body: (RawClient, TestUpstream) async throws -> Void) async throws {
        let upstream = try await TestUpstream.start(answer: { _ in
            TestUpstream.Response(headers: ["Access-Control-Allow-Origin": "https://evil.example", "X-Frame-Options": "SAMEORIGIN"])
        })
        let nobody = FunctionPolicy { _, _ in .answer(LocalResponse(status: .unauthorized)) }
        var configuration = ProxyConfiguration(
            clusters: [Cluster(name: "all", endpoints: [upstream.endpoint])],
            routes: [
                Route(name: "read", methods: ["GET"], path: .prefix("/"), target: .cluster("all")),
                Route(name: "delete", methods: ["DELETE"], path: .prefix("/"), target: .cluster("all"), policies: [nobody]),
            ])
        for index in configuration.routes.indices {
            configuration.routes[index].cors = cors
            configuration.routes[index].addsSecurityHeaders = true
        }
        try await withProxy(configuration) { _, port in try await body(try await RawClient.connect(port: port), upstream) }
        try await upstream.stop()
    }

    private static func response(_ client: RawClient, _ method: String, _ headers: String) async throws -> RawResponse {
        try await client.send("\(method) / HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
        return try await client.response()
    }

    private static func preflight(_ client: RawClient, _ origin: String, _ method: String) async throws -> RawResponse {
        try await response(client, "OPTIONS", "Origin: \(origin)\r\nAccess-Control-Request-Method: \(method)\r\n")
    }

    @Test("a preflight is answered before any policy, and the upstream does not hear of it")
    func preflight() async throws {
        try await Self.withRoutes(Self.shop) { client, upstream in
            let answer = try await Self.preflight(client, "https://shop.example", "DELETE")
            #expect(answer.status == 204)
            #expect(answer["access-control-allow-origin"] == "https://shop.example")
            #expect(answer["access-control-allow-methods"]?.contains("DELETE") == true)
            #expect(answer["access-control-allow-headers"]?.contains("Idempotency-Key") == true)
            #expect(answer["access-control-max-age"] == "600" && answer["access-control-allow-credentials"] == nil)
            #expect(answer["vary"]?.contains("Origin") == true)
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test("a preflight from another origin is told nothing, one for a method that no route takes is no preflight")
    func refused() async throws {
        try await Self.withRoutes(Self.shop) { client, _ in
            let other = try await Self.preflight(client, "https://evil.example", "GET")
            #expect(other.status == 204 && other["access-control-allow-origin"] == nil && other["access-control-allow-methods"] == nil)
            #expect(try await Self.preflight(client, "https://shop.example", "PATCH").status == 405)
        }
        try await Self.withRoutes(nil) { client, _ in
            let answer = try await Self.preflight(client, "https://shop.example", "GET")
            #expect(answer.status == 405)
        }
    }

    @Test("the answer names the origin that may see it, and what the upstream said about origins is gone")
    func answers() async throws {
        try await Self.withRoutes(Self.shop) { client, _ in
            let allowed = try await Self.response(client, "GET", "Origin: https://shop.example\r\n")
            #expect(allowed["access-control-allow-origin"] == "https://shop.example" && allowed["vary"] == "Origin")
            #expect(allowed["access-control-expose-headers"]?.contains("X-Request-Id") == true)
            for headers in ["Origin: https://evil.example\r\n", ""] {
                let other = try await Self.response(client, "GET", headers)
                #expect(other.status == 200 && other["access-control-allow-origin"] == nil && other["vary"] == "Origin")
            }
            // A refusal can be read by the page, too.
            let refusal = try await Self.response(client, "DELETE", "Origin: https://shop.example\r\n")
            #expect(refusal.status == 401 && refusal["access-control-allow-origin"] == "https://shop.example")
        }
        try await Self.withRoutes(Self.everybody) { client, _ in
            let answer = try await Self.response(client, "GET", "Origin: https://any.example\r\n")
            #expect(answer["access-control-allow-origin"] == "*" && answer["vary"] == nil)
        }
    }

    @Test("security fields are added where the upstream has none of its own, to the proxy's own answers, too")
    func securityHeaders() async throws {
        try await Self.withRoutes(nil) { client, _ in
            let proxied = try await Self.response(client, "GET", "")
            #expect(proxied["x-content-type-options"] == "nosniff" && proxied["x-frame-options"] == "SAMEORIGIN")
            #expect(proxied["strict-transport-security"] == nil)
            // Without a word about origins in the configuration the upstream's stands.
            #expect(proxied["access-control-allow-origin"] == "https://evil.example")
            let refusal = try await Self.response(client, "DELETE", "")
            #expect(refusal["x-content-type-options"] == "nosniff" && refusal["x-frame-options"] == "DENY")
        }
    }

    @Test("credentials for all origins are a mistake in the configuration")
    func credentials() async throws {
        var cors = Self.everybody
        cors.allowsCredentials = true
        var route = Route(name: "all", path: .prefix("/"), target: .fixed(LocalResponse(status: .ok)))
        route.cors = cors
        let configuration = ProxyConfiguration(routes: [route])
        await #expect(throws: ProxyConfigurationError.self) { try await withProxy(configuration) { _, _ in } }
    }
}
