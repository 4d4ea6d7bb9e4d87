import Chassis
import ChassisTesting
import Commerce
import Contracts
import HTTPTypes
import Testing

@testable import OrderService

@Suite struct OwnershipTests {
    /// What each caller gets from a route that is about an order of user 1.
    private struct Rule {
        let method: HTTPRequest.Method
        let path: String
        let owner: Int
        let stranger: Int
        let administrator: Int
        let service: Int
    }

    /// `pending` orders, so that the owner's ship is refused by role before state. A stranger's 404 says nothing about existence.
    private static let rules: [Rule] = [
        Rule(method: .post, path: "/api/orders", owner: 201, stranger: 201, administrator: 201, service: 403),
        Rule(method: .get, path: "/api/orders", owner: 200, stranger: 200, administrator: 200, service: 403),
        Rule(method: .get, path: "/api/orders/user/{userId}", owner: 200, stranger: 404, administrator: 200, service: 403),
        Rule(method: .get, path: "/api/orders/{id}", owner: 200, stranger: 404, administrator: 200, service: 403),
        Rule(method: .get, path: "/api/orders/{id}/events", owner: 200, stranger: 404, administrator: 200, service: 403),
        Rule(method: .post, path: "/api/orders/{id}/cancel", owner: 200, stranger: 404, administrator: 200, service: 403),
        Rule(method: .post, path: "/api/orders/{id}/ship", owner: 403, stranger: 403, administrator: 409, service: 403),
        Rule(method: .post, path: "/api/orders/{id}/deliver", owner: 403, stranger: 403, administrator: 409, service: 403),
    ]

    @Test("every route of this API stands in the table")
    func complete() async throws {
        try await TestShop.open { shop in
            let routes = shop.routes.filter { $0.path.hasPrefix("/api/") }.map { "\($0.method) \($0.path)" }
            #expect(Set(routes) == Set(Self.rules.map { "\($0.method) \($0.path)" }))
            for route in shop.routes where !route.path.hasPrefix("/api/") {
                #expect([.services, .administratorsAndServices].contains(route.access), "\(route.path)")
            }
        }
    }

    @Test("user B never sees or changes what is A's, whatever the route")
    func table() async throws {
        try await TestShop.open { shop in
            for rule in Self.rules {
                for (caller, expected) in [
                    (TestCaller.anonymous, 401), (.header("Bearer nonsense"), 401), (.user(2), rule.stranger),
                    (.service(.payments), rule.service), (.administrator, rule.administrator), (.user(1), rule.owner),
                ] {
                    let id = try await shop.order()
                    if rule.path.hasSuffix("/events") { try await shop.cancel(id) }
                    let path = rule.path.replacing("{id}", with: "\(id)").replacing("{userId}", with: "1")
                    let body: JSONValue? = rule.path == "/api/orders" && rule.method == .post ? ["productId": 2, "quantity": 1] : nil
                    let reply = try await shop.client.send(rule.method, path, body, as: caller)
                    #expect(reply.status.code == expected, "\(rule.method) \(rule.path) as \(caller)")
                    if expected == 401 { #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true) }
                    if reply.status.kind != .successful, !rule.path.hasSuffix("/events") {
                        #expect(try await shop.status(of: id) == "pending", "\(rule.path) as \(caller)")
                    }
                }
            }
        }
    }

    @Test("a stranger's 404 is the 404 of an order that does not exist, to the byte but for its path")
    func sameAnswer() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            let foreign = try await shop.client.get("/api/orders/\(id)", as: .user(2)).json
            let missing = try await shop.client.get("/api/orders/\(id + 1)", as: .user(2)).json
            for member in ["type", "title", "status", "error"] { #expect(foreign[member] == missing[member]) }
            #expect(foreign.members == missing.members)
        }
    }

    @Test("a customer's list holds only their own orders, an administrator's all")
    func lists() async throws {
        try await TestShop.open { shop in
            let mine = [try await shop.order(as: .user(1)), try await shop.order(as: .user(1))]
            let other = try await shop.order(as: .user(2))
            func ids(_ path: String, _ caller: TestCaller) async throws -> [Int64] {
                try await shop.client.get(path, as: caller).json.array.compactMap { $0["id"].integer }
            }
            #expect(try await ids("/api/orders", .user(1)) == mine.reversed())
            #expect(try await ids("/api/orders", .user(3)) == [])
            #expect(try await ids("/api/orders", .administrator) == [other] + mine.reversed())
            #expect(try await ids("/api/orders/user/1", .user(1)) == mine.reversed())
            #expect(try await ids("/api/orders/user/2", .administrator) == [other])
            #expect(try await ids("/api/orders/user/9", .administrator) == [])
        }
    }
}

extension TestShop {
    func cancel(_ id: Int64) async throws {
        #expect(try await client.post("/api/orders/\(id)/cancel", as: .administrator).status == .ok)
    }
}
