import Chassis
import ChassisTesting
import HTTPTypes
import Testing

@testable import PaymentService

@Suite("Refunds")
struct RefundTests {
    /// Runs `body` with order 1 of user 7 paid: ten dollars.
    private func paid(_ body: @escaping @Sendable (PaymentShop) async throws -> Void) async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            try await body(shop)
            try await shop.settled()
            try await shop.checkBooks()
        }
    }

    @Test("a part goes back, then the rest; each is told with the sums so far")
    func partial() async throws {
        try await paid { shop in
            let reply = try await shop.refund(1, ["amount": 2.5, "reason": "a scratch"])
            #expect(reply.status == .created)
            #expect(reply.json.members == ["id", "paymentId", "amount", "currency", "reason", "status", "createdAt"])
            #expect(reply.json["amount"] == 2.5 && reply.json["currency"] == "USD" && reply.json["status"] == "pending")
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "partially-refunded")
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 2.5)

            #expect(try await shop.refund(1, ["reason": "all of it"]).json["amount"] == 7.5)
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "refunded")
            let totals = try await shop.events().filter { $0["type"] == "souk.payment.refunded" }.map {
                $0["data"]["refundedInTotal"]["minorUnits"]
            }
            #expect(totals == [250, 1000])
        }
    }

    @Test("without an amount all of it goes back, and then there is nothing left")
    func full() async throws {
        try await paid { shop in
            #expect(try await shop.refund(1, ["reason": "returned"]).json["amount"] == 10)
            let again = try await shop.refund(1, ["reason": "returned"])
            #expect(again.status == .conflict && again.json["type"] == "urn:souk:problem:nothing-to-refund")
        }
    }

    @Test(
        "an amount that cannot be is refused, and nothing moves",
        arguments: [
            (10.01, "refund-exceeds-captured"), (1_000_000_000, "refund-exceeds-captured"), (0, "invalid-request"), (-1, "invalid-request"),
            (0.001, "invalid-request"), (1_000_000_001, "invalid-request"), ("10", "invalid-request"), (true, "invalid-request"),
            ([], "invalid-request"), ([:], "invalid-request"),
        ] as [(JSONValue, String)])
    func wrongAmount(amount: JSONValue, kind: String) async throws {
        try await paid { shop in
            let reply = try await shop.refund(1, ["amount": amount, "reason": "no"])
            #expect(reply.status == .badRequest && reply.json["type"].string == "urn:souk:problem:\(kind)")
            if kind == "invalid-request" { #expect(reply.json["errors"][0]["pointer"] == "/amount") }
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 0)
        }
    }

    @Test("what was not captured cannot be refunded")
    func notCaptured() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1000, method: "tok_declined"))
            try await shop.settled()
            let reply = try await shop.refund(1, ["reason": "no"])
            #expect(reply.status == .conflict && reply.json["type"] == "urn:souk:problem:payment-not-captured")
        }
    }

    @Test("of fifty refunds of the whole amount at once one is granted")
    func concurrent() async throws {
        try await paid { shop in
            let id = try await shop.id(ofOrder: 1)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await shop.client.post("/api/payments/\(id)/refunds", ["amount": 10, "reason": "now"], as: .administrator)
                            .status.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 201 } == 1 && statuses.count { $0 == 409 } == 49)
            try await shop.settled()
            #expect(try await shop.said() == ["captured", "refunded"])
        }
    }

    @Test("the same key is the same refund, once, with the same response")
    func idempotent() async throws {
        try await paid { shop in
            let body: JSONValue = ["amount": 3, "reason": "once"]
            let first = try await shop.refund(1, body, key: "k")
            let second = try await shop.refund(1, body, key: "k")
            #expect(first.status == .created && first.body == second.body)
            #expect(first.headers[.idempotencyReplayed] == nil && second.headers[.idempotencyReplayed] == "true")
            #expect(try await shop.refund(1, ["amount": 4, "reason": "once"], key: "k").status.code == 422)
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 3)
        }
    }

    @Test("the same key sent fifty times at once is one refund")
    func idempotentAtOnce() async throws {
        try await paid { shop in
            let bodies = try await withThrowingTaskGroup(of: TestClient.Reply.self) { group in
                for _ in 0..<50 { group.addTask { try await shop.refund(1, ["amount": 0.1, "reason": "once"], key: "k") } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.status.code, default: 0] += 1 }
            }
            #expect(bodies.keys.allSatisfy { $0 == 201 || $0 == 409 } && bodies[201, default: 0] >= 1)
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 0.1)
        }
    }

    @Test("two administrators with the same key ask for two refunds")
    func keysArePersonal() async throws {
        try await paid { shop in
            for administrator in [TestCaller.administrator(1), .administrator(2)] {
                let reply = try await shop.refund(1, ["amount": 1, "reason": "mine"], key: "k", as: administrator)
                #expect(reply.status == .created && reply.headers[.idempotencyReplayed] == nil)
            }
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 2)
        }
    }
}
