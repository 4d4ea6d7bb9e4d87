import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import APIGateway

@Suite("The gateway as the world meets it")
struct GatewayTests {
    private static let threeRoutes = """
        clusters:
          - {name: up, endpoints: ["${UPSTREAM}"]}
        routes:
          - {name: required, path: /required, cluster: up, authentication: required}
          - {name: optional, path: /optional, cluster: up, authentication: optional}
          - {name: open, path: /open, cluster: up, maximumBodyBytes: 10}
        """

    @Test("who passes where: a token is required, may come along, or is nobody's business")
    func tokens() async throws {
        try await GatewayFixture.run(yaml: Self.threeRoutes) { gateway in
            let bad = TestCaller.header("Bearer eyJhbGciOiJub25lIn0.e30.")
            let table: [(String, [(TestCaller, Int)])] = [
                (
                    "/required",
                    [
                        (.anonymous, 401), (bad, 401), (.header("Basic YTpi"), 401), (.header(""), 401), (.service(.orders), 401),
                        (.user(7), 200), (.administrator, 200),
                    ]
                ),
                ("/optional", [(.anonymous, 200), (bad, 401), (.header("Basic YTpi"), 401), (.user(7), 200)]),
                ("/open", [(.anonymous, 200), (bad, 200), (.user(7), 200)]),
            ]
            for (path, rows) in table {
                // Twice: the second time a good token is known.
                for (caller, status) in rows + rows {
                    let before = gateway.upstream.seen.count
                    let reply = try await gateway.client.get(path, as: caller)
                    #expect(reply.status.code == status, "\(path) as \(caller)")
                    #expect(gateway.upstream.seen.count == before + (status == 200 ? 1 : 0))
                    guard status == 401 else { continue }
                    #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                    #expect(
                        reply.headers[.contentType] == "application/problem+json" && reply.json["type"] == "urn:souk:problem:unauthorized")
                    #expect(reply.json["instance"].string == path && reply.json["error"].string?.isEmpty == false)
                }
            }
        }
    }

    @Test(
        "nothing leads to what is internal, in whatever spelling and with whatever token",
        arguments: [TestCaller.anonymous, .administrator, .service(.orders)])
    func internalRoutes(caller: TestCaller) async throws {
        let paths = [
            "/internal", "/internal/", "/internal/status", "/internal/events?after=0", "/internal/dead-letters/job-1/replay",
            "/INTERNAL/status",
            "//internal/status", "/./internal/status", "/%69nternal/status", "/internal%2fstatus", "/%2finternal/status",
            "/api/users/../../internal/status", "/api/users/%2e%2e/%2e%2e/internal/status", "/api/users/..%2f..%2finternal/status",
            "/api/products/../../internal/messages", "/api/users/register/../../../internal/status", "/internal;a=b/status",
            "/internal\\status",
        ]
        try await GatewayFixture.run { gateway in
            for path in paths {
                for method in [HTTPRequest.Method.get, .post] {
                    let reply = try await gateway.client.send(method, path, method == .post ? [:] : nil, as: caller)
                    #expect((400..<500).contains(reply.status.code), "\(method) \(path): \(reply.status)")
                }
            }
            for seen in gateway.upstream.seen {
                let path = seen.path.removingPercentEncoding ?? seen.path
                #expect(!path.lowercased().contains("internal"), "\(seen.path)")
            }
        }
    }

    @Test(
        "whoever tries to log in, to register or to have mail sent again and again is told to wait, and everything else goes on",
        .timeLimit(.minutes(1)))
    func rateLimits() async throws {
        try await GatewayFixture.run { gateway in
            for (path, quota): (String, Int) in [("/api/users/login", 30), ("/api/users/register", 30), ("/api/users/password-reset", 5)] {
                let name = path.split(separator: "/").last ?? ""
                for _ in 0..<quota {
                    let reply = try await gateway.client.post(path, [:])
                    #expect(reply.status == .ok)
                    #expect(reply.headers[HTTPField.Name("RateLimit-Policy")!] == "\"\(name)\";q=\(quota);w=60")
                }
                // The quota refills evenly: on a slow machine a few more are granted meanwhile.
                var before = gateway.upstream.seen.count
                var refused = try await gateway.client.post(path, [:])
                while refused.status == .ok {
                    try Task.checkCancellation()
                    before = gateway.upstream.seen.count
                    refused = try await gateway.client.post(path, [:])
                }
                #expect(refused.status == .tooManyRequests && refused.json["type"] == "urn:souk:problem:quota-exceeded")
                #expect(refused.json["violated-policies"].array == [.string(String(name))])
                #expect(Int(refused.headers[.retryAfter] ?? "") != nil && gateway.upstream.seen.count == before)
            }
            #expect(try await gateway.client.get("/api/products").status == .ok)
        }
    }

    @Test("a limit by address holds before a token is looked at; one by user follows who is signed in")
    func limitsAndTokens() async throws {
        let yaml = """
            clusters: [{name: up, endpoints: ["${UPSTREAM}"]}]
            routes:
              - name: both
                path: /limited
                cluster: up
                authentication: required
                rateLimits:
                  - {name: here, requests: 6, seconds: 3600, by: address}
                  - {name: mine, requests: 2, seconds: 3600, by: user}
            """
        try await GatewayFixture.run(yaml: yaml) { gateway in
            // Twice of the second user: once the token must be verified, then it is known.
            for (caller, status) in [(TestCaller.user(7), 200), (.user(8), 200), (.user(8), 200), (.user(8), 429), (.user(7), 200)] {
                let reply = try await gateway.client.get("/limited", as: caller)
                #expect(reply.status.code == status)
            }
            #expect(try await gateway.client.get("/limited").status == .unauthorized)
            #expect(try await gateway.client.get("/limited").status == .tooManyRequests)
        }
    }

    @Test("the standard routes reach their services, and ask for a token where something is somebody's")
    func standardRoutes() async throws {
        let rows: [(HTTPRequest.Method, String, Int)] = [
            (.post, "/api/users/register", 200), (.post, "/api/users/login", 200), (.post, "/api/users/token", 200),
            (.post, "/api/users/logout", 200), (.post, "/api/users/password-reset", 200), (.post, "/api/users/password-reset/confirm", 200),
            (.post, "/api/users/verify-email", 200), (.get, "/.well-known/jwks.json", 200), (.get, "/api/users/7", 401),
            (.get, "/api/users/me", 401), (.delete, "/api/users/me", 401), (.get, "/api/users", 401), (.get, "/api/products", 200),
            (.get, "/api/products?search=a%20b&limit=2", 200), (.get, "/api/products/1", 200), (.head, "/api/products/1", 200),
            (.post, "/api/products", 401), (.patch, "/api/products/1", 401), (.patch, "/api/products/1/stock", 401),
            (.delete, "/api/products/1", 401),
            (.get, "/api/categories", 200), (.post, "/api/orders", 401), (.get, "/api/orders/1", 401), (.get, "/api/orders/1/events", 401),
            (.get, "/api/orders/user/7", 401), (.get, "/api/payments?orderId=1", 401), (.get, "/api/payments/ledger", 401),
            (.get, "/api/notifications", 401), (.get, "/", 404), (.get, "/api", 404), (.get, "/api/userss", 404), (.get, "/metricsx", 404),
        ]
        try await GatewayFixture.run { gateway in
            for (method, path, anonymous) in rows {
                let body: JSONValue? = [.get, .head, .delete].contains(method) ? nil : [:]
                let reply = try await gateway.client.send(method, path, body)
                #expect(reply.status.code == anonymous, "\(method) \(path)")
                guard anonymous != 404 else { continue }
                let signedIn = try await gateway.client.send(method, path, body, as: .user(7))
                #expect(signedIn.status == .ok, "\(method) \(path) signed in")
                if method != .head { #expect(signedIn.json["path"].string == String(path.prefix { $0 != "?" })) }
            }
        }
    }

    @Test("a route for some roles refuses the others, and a service that wants to is told who asks, by nobody else")
    func roles() async throws {
        let yaml = """
            clusters: [{name: up, endpoints: ["${UPSTREAM}"]}]
            routes:
              - {name: admin, path: /admin, cluster: up, authentication: required, roles: [admin], identityHeaders: true}
              - {name: optional, path: /, cluster: up, authentication: optional, identityHeaders: true}
            """
        let user = try #require(HTTPField.Name("X-Souk-User"))
        let role = try #require(HTTPField.Name("X-Souk-Role"))
        let pretence: HTTPFields = [user: "1", role: "admin"]
        try await GatewayFixture.run(yaml: yaml) { gateway in
            // Twice: the second time the token is known.
            for _ in 0..<2 {
                let refused = try await gateway.client.get("/admin", as: .user(7), headers: pretence)
                #expect(refused.status == .forbidden && refused.json["type"] == "urn:souk:problem:forbidden")
                #expect(try await gateway.client.get("/admin", as: .anonymous, headers: pretence).status == .unauthorized)
                #expect(try await gateway.client.get("/admin", as: .administrator, headers: pretence).status == .ok)
                #expect(gateway.upstream.seen.last?.headers[values: role] == ["admin"])
                #expect(try await gateway.client.get("/anything", as: .user(7), headers: pretence).status == .ok)
                #expect(gateway.upstream.seen.last?.headers[values: user] == ["7"])
                #expect(gateway.upstream.seen.last?.headers[values: role] == ["customer"])
                #expect(try await gateway.client.get("/anything", as: .anonymous, headers: pretence).status == .ok)
                #expect(gateway.upstream.seen.last?.headers[values: user] == [])
            }
        }
    }

    @Test("a request goes on with who asked and without what a client may not say")
    func headers() async throws {
        try await GatewayFixture.run(yaml: Self.threeRoutes) { gateway in
            let name = try #require(HTTPField.Name("X-Souk-Deadline"))
            let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
            let identity = try #require(HTTPField.Name("X-Request-Id"))
            let reply = try await gateway.client.get(
                "/open", as: .user(7), headers: [name: "1", forwarded: "1.2.3.4", .connection: "keep-alive"])
            let seen = try #require(gateway.upstream.seen.first)
            #expect(seen.headers[name] == nil && seen.headers[forwarded] == "127.0.0.1" && seen.headers[.authorization] != nil)
            #expect(reply.headers[identity] != nil && seen.headers[identity] == reply.headers[identity])
        }
    }

    @Test("a file that has changed is read again, and no request is lost meanwhile", .timeLimit(.minutes(1)))
    func changedFile() async throws {
        let yaml = """
            clusters: [{name: up, endpoints: ["${UPSTREAM}"]}]
            routes: [{name: all, path: /old, cluster: up}]
            """
        try await GatewayFixture.run(yaml: yaml) { gateway in
            #expect(try await gateway.client.get("/old").status == .ok)
            try gateway.rewrite(yaml.replacing("/old", with: "/new"))
            while try await gateway.client.get("/new").status != .ok {
                let status = try await gateway.client.get("/old").status
                #expect(status == .ok || status == .notFound)
                try Task.checkCancellation()
            }
            #expect(try await gateway.client.get("/old").status == .notFound)
        }
    }

    @Test("keys are fetched once a route asks for tokens, and not before", .timeLimit(.minutes(1)))
    func keysWhenNeeded() async throws {
        let yaml = """
            clusters: [{name: up, endpoints: ["${UPSTREAM}"]}]
            routes: [{name: all, path: /, cluster: up, authentication: none}]
            """
        let isNeeded = Mutex(false)
        let fetches = Mutex<[Bool]>([])
        let note: @Sendable (String) -> Void = { url in
            guard url.hasSuffix("/.well-known/jwks.json") else { return }
            fetches.withLock { $0.append(isNeeded.withLock { $0 }) }
        }
        try await GatewayFixture.run(yaml: yaml, onRequest: note) { gateway in
            #expect(try await gateway.client.get("/any").status == .ok)
            isNeeded.withLock { $0 = true }
            try gateway.rewrite(yaml.replacing("authentication: none", with: "authentication: required"))
            try await eventually("keys are fetched") { fetches.withLock { !$0.isEmpty } }
            let status = try await gateway.client.get("/any", as: .anonymous).status
            #expect(status == .unauthorized)
        }
        #expect(fetches.withLock { $0.allSatisfy { $0 } })
    }

    @Test("a body beyond the route's limit is a 413")
    func bodyLimit() async throws {
        try await GatewayFixture.run(yaml: Self.threeRoutes) { gateway in
            let fits = try await gateway.client.send(.post, "/open", bytes: Data("0123456789".utf8))
            let exceeds = try await gateway.client.send(.post, "/open", bytes: Data("0123456789a".utf8))
            #expect(fits.status == .ok && exceeds.status == .contentTooLarge && gateway.upstream.seen.count == 1)
        }
    }

    @Test("a service that is away is a 502 or 503 of its own routes, and the others answer")
    func away() async throws {
        // Port 9 of the loopback is discard's, where nobody listens.
        try await GatewayFixture.run(addresses: [.orders: "http://127.0.0.1:9"]) { gateway in
            let orders = try await gateway.client.get("/api/orders", as: .user(7))
            #expect([502, 503].contains(orders.status.code))
            #expect(orders.headers[.contentType] == "application/problem+json" && orders.json["error"].string?.isEmpty == false)
            let products = try await gateway.client.get("/api/products")
            #expect(products.status == .ok)
        }
    }

    // MARK: Health

    @Test("health shows every service, the sick ones too, and the gateway answers all the same")
    func health() async throws {
        let services = HTTPTransport { request, _ throws(TransportError) in
            if request.url.hasPrefix("http://payments") { return InboundResponse(status: .serviceUnavailable) }
            if request.url.hasPrefix("http://orders") { throw .notConnected }
            return InboundResponse(status: request.url.hasSuffix("/health") ? .ok : .notFound)
        }
        let addresses: [ServiceName: String] = [.payments: "http://payments:1", .orders: "http://orders:1"]
        try await GatewayFixture.run(addresses: addresses, transport: services) { gateway in
            let reply = try await gateway.client.get("/health")
            #expect(reply.status == .ok && reply.json["gateway"] == "healthy" && reply.json["services"].count == 5)
            let expected = [
                ("user-service", "healthy"), ("product-service", "healthy"), ("order-service", "unhealthy"),
                ("payment-service", "unhealthy"),
                ("notification-service", "healthy"),
            ]
            for (index, (name, status)) in expected.enumerated() {
                let service = reply.json["services"][index]
                #expect(service["name"].string == name && service["status"].string == status)
                let latency = try #require(service["latencyMs"].integer)
                #expect(service["url"].string?.hasPrefix("http://") == true && latency >= 0)
            }
        }
    }

    @Test("the control plane is reached through the data plane, for what it is meant for")
    func control() async throws {
        try await GatewayFixture.run { gateway in
            for path in ["/health", "/live", "/ready", "/metrics"] {
                let reply = try await gateway.client.get(path)
                #expect(reply.status == .ok, "\(path)")
                let direct = try await gateway.control.get(path)
                #expect(direct.status == .ok, "\(path)")
            }
            let post = try await gateway.client.post("/health", [:])
            #expect(post.status == .methodNotAllowed && gateway.upstream.seen.isEmpty)
        }
    }
}
