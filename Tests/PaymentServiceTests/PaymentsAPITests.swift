import Chassis
import ChassisStorage
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import PaymentService

@Suite("The payments API")
struct PaymentsAPITests {
    /// Runs `body` with an order of user 7 and one of user 8, both paid.
    private func paid(_ body: @escaping @Sendable (PaymentShop) async throws -> Void) async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1999, user: 7), .placed(2, amount: 500, user: 8))
            try await shop.settled()
            try await body(shop)
        }
    }

    @Test("a payment shows state, amounts and attempts")
    func shape() async throws {
        try await paid { shop in
            let id = try await shop.id(ofOrder: 1)
            let reply = try await shop.client.get("/api/payments/\(id)", as: .user(7))
            #expect(reply.status == .ok)
            #expect(
                reply.json.members == [
                    "id", "orderId", "userId", "status", "amount", "captured", "refunded", "chargedBack", "currency", "attempts",
                    "createdAt",
                ])
            #expect(reply.json["orderId"] == 1 && reply.json["userId"] == 7 && reply.json["amount"] == 19.99)
            #expect(try await shop.client.get("/api/payments?orderId=1", as: .user(7)).json[0] == reply.json)
        }
    }

    @Test("who may see and do what: one's own, administrators all, nobody else anything")
    func ownership() async throws {
        try await paid { shop in
            let id = try await shop.id(ofOrder: 1)
            let refunds = "/api/payments/\(id)/refunds"
            let table: [(HTTPRequest.Method, String, [(TestCaller, Int)])] = [
                (
                    .get, "/api/payments/\(id)",
                    [(.user(7), 200), (.user(8), 404), (.administrator, 200), (.anonymous, 401), (.service(.orders), 403)]
                ),
                (
                    .get, "/api/payments?orderId=1",
                    [(.user(7), 200), (.user(8), 200), (.administrator, 200), (.anonymous, 401), (.service(.orders), 403)]
                ),
                (.get, "/api/payments/ledger", [(.user(7), 403), (.administrator, 200), (.anonymous, 401), (.service(.orders), 403)]),
                (.post, refunds, [(.user(7), 403), (.user(8), 403), (.anonymous, 401), (.service(.orders), 403), (.administrator, 201)]),
            ]
            for (method, path, rows) in table {
                for (caller, status) in rows {
                    let reply = try await shop.client.send(method, path, method == .post ? ["amount": 1, "reason": "r"] : nil, as: caller)
                    #expect(reply.status.code == status, "\(method) \(path) as \(caller)")
                    if status == 401 { #expect(reply.headers[.wwwAuthenticate] != nil) }
                }
            }
            #expect(try await shop.client.get("/api/payments?orderId=1", as: .user(8)).json == [])
            #expect(try await shop.client.get("/api/payments?orderId=1", as: .administrator).json.count == 1)
        }
    }

    @Test("another's payment and none at all look the same")
    func existence() async throws {
        try await paid { shop in
            let others = try await shop.client.get("/api/payments/\(try await shop.id(ofOrder: 2))", as: .user(7))
            let none = try await shop.client.get("/api/payments/999", as: .user(7))
            #expect(others.status == .notFound && none.status == .notFound)
            for member in ["type", "title", "status", "error"] { #expect(others.json[member] == none.json[member]) }
            #expect(none.json["error"] == "Payment not found")
        }
    }

    @Test(
        "an id that is none is an unknown one in a path, and a mistake in a query",
        arguments: ["-1", "0", "abc", "1e3", "1.0", "99999999999999999999", "%31%20"])
    func ids(id: String) async throws {
        try await paid { shop in
            let shown = try await shop.client.get("/api/payments/\(id)", as: .administrator)
            let refunded = try await shop.client.post("/api/payments/\(id)/refunds", ["reason": "r"], as: .administrator)
            let listed = try await shop.client.get("/api/payments?orderId=\(id)", as: .administrator)
            #expect(shown.status == .notFound && refunded.status == .notFound)
            #expect(listed.status == .badRequest && listed.json["errors"][0]["pointer"] == "?orderId")
        }
    }

    @Test("a list needs an order")
    func listWithoutOrder() async throws {
        try await paid { shop in
            let reply = try await shop.client.get("/api/payments", as: .user(7))
            #expect(reply.status == .badRequest && reply.json["errors"][0]["pointer"] == "?orderId")
        }
    }

    @Test(
        "a bad body is told all its mistakes, and nothing changes",
        arguments: [
            ("{}", 400, ["/reason"]), (#"{"reason":""}"#, 400, ["/reason"]), (#"{"reason":7,"amount":"x"}"#, 400, ["/amount", "/reason"]),
            (#"{"reason":null}"#, 400, ["/reason"]), ("[]", 400, [""]), ("null", 400, [""]), ("\"reason\"", 400, [""]), ("", 400, []),
            ("{", 400, []), (#"{"reason":"r","amount":1e400}"#, 400, nil),
            (#"{"reason":"r","amount":1e100}"#, 400, ["/amount"]),
            ("{\"reason\":\"\(String(repeating: "x", count: 501))\"}", 400, ["/reason"]),
            ("{\"reason\":\"\(String(repeating: "x", count: 2 << 20))\"}", 413, []), (String(repeating: "[", count: 100_000), 400, nil),
        ] as [(String, Int, [String]?)])
    func badBody(text: String, status: Int, pointers: [String]?) async throws {
        try await paid { shop in
            let id = try await shop.id(ofOrder: 1)
            let reply = try await shop.client.send(.post, "/api/payments/\(id)/refunds", bytes: Data(text.utf8), as: .administrator)
            #expect(reply.status.code == status && reply.headers[.contentType] == "application/problem+json")
            if let pointers { #expect(reply.json["errors"].array.map { $0["pointer"].string } == pointers) }
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 0)
        }
    }

    @Test("another kind of body, another method and a key that is none are refused as HTTP says")
    func http() async throws {
        try await paid { shop in
            let path = "/api/payments/\(try await shop.id(ofOrder: 1))/refunds"
            let form = try await shop.client.send(
                .post, path, bytes: Data("reason=r".utf8), as: .administrator, headers: [.contentType: "application/x-www-form-urlencoded"])
            #expect(form.status == .unsupportedMediaType)
            let put = try await shop.client.put(path, ["reason": "r"], as: .administrator)
            #expect(put.status == .methodNotAllowed && put.headers[.allow] == "POST")
            let key = try await shop.client.post(
                path, ["reason": "r"], as: .administrator, headers: [.idempotencyKey: String(repeating: "k", count: 256)])
            #expect(key.status == .badRequest)
        }
    }

    @Test("the ledger shows each account, and sums that are zero")
    func ledger() async throws {
        try await paid { shop in
            let ledger = try await shop.client.get("/api/payments/ledger", as: .administrator).json
            #expect(ledger["sums"] == [["currency": "USD", "sum": 0]])
            #expect(
                ledger["accounts"] == [
                    ["account": "provider", "balance": 24.99, "currency": "USD"],
                    ["account": "sales", "balance": -24.99, "currency": "USD"],
                ])
        }
    }

    @Test("the service says who it is and that it is well")
    func health() async throws {
        let harness = try ServiceHarness(.payments)
        let service = try await PaymentService.assemble(.init(database: .sqliteMemory), harness.platform)
        try await harness.run(service) { client in
            let health = try await client.get("/health")
            #expect(health.status == .ok && health.json["service"] == "payment-service" && health.json["status"] == "healthy")
            #expect(try await client.get("/ready").status == .ok)
        }
    }
}
