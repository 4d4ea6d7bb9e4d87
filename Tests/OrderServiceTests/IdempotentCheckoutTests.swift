import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import OrderService

@Suite struct IdempotentCheckoutTests {
    private static let body: JSONValue = ["productId": 1, "quantity": 1]

    @Test("50 equal requests at once with one key make one order; each gets that order, or a 409 while the first still runs")
    func crowd() async throws {
        try await TestShop.open { shop in
            let replies = try await withThrowingTaskGroup(of: TestClient.Reply.self) { group in
                for _ in 0..<50 { group.addTask { try await shop.place(Self.body, key: "one") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let created = replies.filter { $0.status == .created }
            #expect(Set(created.map(\.body)).count == 1)
            #expect(created.filter { $0.headers[.idempotencyReplayed] == nil }.count == 1)
            for refused in replies where refused.status != .created {
                #expect(refused.json["type"] == "urn:souk:problem:idempotency-key-in-progress")
            }
            let later = try await shop.place(Self.body, key: "one")
            #expect(later.status == .created && later.body == created.first?.body)
            #expect(shop.stock.available(1) == 999)
            #expect(try await shop.said(OrderPlaced.self).count == 1)
        }
    }

    @Test("the same key with another body is a 422 and changes nothing; written differently it is the same body")
    func otherBody() async throws {
        try await TestShop.open { shop in
            let first = try await shop.place(Self.body, key: "one")
            let other = try await shop.place(["productId": 1, "quantity": 2], key: "one")
            #expect(other.status.code == 422)
            let same = try await shop.client.send(
                .post, "/api/orders", bytes: Data(#"{ "quantity":1, "paymentMethod":"tok_visa", "productId":1 }"#.utf8), as: .user(1),
                headers: [.idempotencyKey: "one"])
            #expect(same.status == .created && same.body == first.body)
            #expect(shop.stock.available(1) == 999)
        }
    }

    @Test("a key whose response is no longer kept never orders again and reserves nothing, even if the order was cancelled")
    func forgottenKey() async throws {
        let time = ManualTime()
        try await TestShop.open(time: time.source) { shop in
            try await shop.reaches("pending", shop.order(key: "standing"))
            let cancelled = try await shop.order(key: "cancelled")
            #expect(try await shop.client.post("/api/orders/\(cancelled)/cancel", as: .user(1)).status == .ok)
            time.advance(by: .seconds(4 * 86_400))
            try await eventually("the responses are forgotten") {
                time.advance(by: .seconds(1))
                return try await shop.place(Self.body, key: "standing").status == .conflict
            }
            let reserved = shop.stock.requests.count
            for key in ["standing", "cancelled"] {
                let late = try await shop.place(Self.body, key: key)
                #expect(late.status == .conflict && late.json["type"] == "urn:souk:problem:idempotency-key-used")
            }
            #expect(shop.stock.requests.count == reserved)
            #expect(try await shop.said(OrderPlaced.self).count == 2)
        }
    }

    @Test("two users with the same key make two orders")
    func twoUsers() async throws {
        try await TestShop.open { shop in
            let first = try await shop.order(as: .user(1), key: "one")
            let second = try await shop.order(as: .user(2), key: "one")
            #expect(first != second)
        }
    }

    @Test("a refusal is the response of its key, too")
    func refusal() async throws {
        try await TestShop.open { shop in
            let first = try await shop.place(["productId": 4, "quantity": 1], key: "one")
            let second = try await shop.place(["productId": 4, "quantity": 1], key: "one")
            #expect(first.status == .badRequest && second.status == .badRequest && first.body == second.body)
            #expect(shop.stock.requests.count == 1)
        }
    }

    @Test("a repeat whose lease has ended gets a fresh lease and its order")
    func endedLease() async throws {
        try await TestShop.open { shop in
            shop.stock.failNext(.timedOut, isCarriedOut: true)
            #expect(try await shop.place(Self.body, key: "one").status == .serviceUnavailable)
            shop.stock.endAllLeases()
            let repeated = try await shop.place(Self.body, key: "one")
            #expect(repeated.status == .created)
            #expect(Set(shop.stock.requests.map(\.id)).count == 2)
            #expect(shop.stock.heldCount == 1)
            #expect(try await shop.said(OrderPlaced.self).count == 1)
        }
    }

    @Test("a key that used up all its leases is refused, not tried for ever")
    func usedUp() async throws {
        try await TestShop.open { shop in
            for generation in ReservationName.generations {
                // Each attempt asks for the names that are used up, which are answered, and then loses the answer to the next one.
                shop.stock.failNext(.timedOut, isCarriedOut: true, after: generation)
                #expect(try await shop.place(Self.body, key: "one").status == .serviceUnavailable)
                shop.stock.endAllLeases()
            }
            let last = try await shop.place(Self.body, key: "one")
            #expect(last.status == .conflict && last.json["type"] == "urn:souk:problem:idempotency-key-used")
            #expect(Set(shop.stock.requests.map(\.id)).count == ReservationName.generations.count)
        }
    }

    @Test("a key that reserved other pieces without coming to an order is refused, and still works for those")
    func otherPieces() async throws {
        try await TestShop.open { shop in
            shop.stock.failNext(.timedOut, isCarriedOut: true)
            let lost = try await shop.place(Self.body, key: "one")
            #expect(lost.status == .serviceUnavailable)
            #expect(try await shop.place(["productId": 1, "quantity": 5], key: "one").status == .conflict)
            #expect(try await shop.place(Self.body, key: "one").status == .created)
            #expect(shop.stock.available(1) == 999)
        }
    }
}
