import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

/// What many do at once ends as if they had come one after another.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct ConcurrencyTests: ShopSuite {
        /// Sends the same order `count` times at once. Who is told that the shop is too busy comes back when it says, as a customer would.
        private func orders(_ count: Int, _ body: JSONValue, key: (Int) -> String?) async throws -> [TestClient.Reply] {
            try await withThrowingTaskGroup(of: TestClient.Reply.self) { group in
                for number in 0..<count {
                    let headers: HTTPFields = key(number).map { [.idempotency: $0] } ?? [:]
                    group.addTask { [client, customer] in
                        while true {
                            let reply = try await client.post("/api/orders", body, as: customer.caller, headers: headers)
                            guard reply.status == .serviceUnavailable, let pause = reply.headers[.retryAfter].flatMap(Int64.init) else {
                                return reply
                            }
                            try await Task.sleep(for: .seconds(pause))
                        }
                    }
                }
                var replies: [TestClient.Reply] = []
                for try await reply in group { replies.append(reply) }
                return replies
            }
        }

        @Test("of 200 orders at once for the last 10 pieces exactly 10 succeed", .timeLimit(.minutes(2)))
        func lastPieces() async throws {
            let product = try await shop.addProduct(stock: 10)
            let replies = try await orders(200, ["productId": .integer(product), "quantity": 1]) { _ in nil }
            let placed = replies.filter { $0.status == .created }
            let refused = replies.filter { $0.status == .badRequest }
            #expect(placed.count == 10)
            #expect(refused.count == 190, "others: \(Set(replies.map(\.status.code)))")
            #expect(refused.allSatisfy { $0.json["details"] == ["error": "Insufficient stock"] })
            #expect(try await shop.stock(of: product) == 0)
            let ids = placed.compactMap { $0.json["id"].integer }
            #expect(Set(ids).count == 10)
            for id in ids { #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid") }
            try await eventually("ten pieces are sold") {
                let movements = try await shop.all("/api/products/\(product)/stock-movements", as: administrator)
                let sold = movements.filter { $0["kind"] == "reservation-committed" }
                return sold.count == 10 && sold.allSatisfy { $0["delta"] == -1 } ? () : nil
            }
            #expect(try await shop.stock(of: product) == 0)
        }

        @Test("one Idempotency-Key sent 50 times at once is one order and one charge", .timeLimit(.minutes(2)))
        func sameKey() async throws {
            let product = try await shop.addProduct(stock: 100)
            let body: JSONValue = ["productId": .integer(product), "quantity": 1]
            let before = try await shop.all("/api/orders?limit=200", as: customer.caller).count
            let replies = try await orders(50, body) { _ in "the same key" }
            let answers = replies.filter { $0.status == .created }
            #expect(!answers.isEmpty)
            #expect(replies.allSatisfy { $0.status == .created || $0.status == .conflict }, "\(Set(replies.map(\.status.code)))")
            #expect(Set(answers.map(\.body)).count == 1)

            let again = try await client.post("/api/orders", body, as: customer.caller, headers: [.idempotency: "the same key"])
            #expect(again.status == .created && again.body == answers.first?.body)
            #expect(again.headers[.replayed] == "true")
            let other = try await client.post(
                "/api/orders", ["productId": .integer(product), "quantity": 2], as: customer.caller, headers: [.idempotency: "the same key"]
            )
            #expect(other.status == .unprocessableContent)

            let id = try #require(again.json["id"].integer)
            #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid")
            #expect(try await shop.all("/api/orders?limit=200", as: customer.caller).count == before + 1)
            let payments = try await shop.payments(of: id)
            #expect(payments.count == 1 && payments.first?["captured"] == 10 && payments.first?["attempts"] == 1)
            #expect(try await shop.stock(of: product) == 99)
        }

        @Test("cancelling one order 20 times at once restocks and refunds it once", .timeLimit(.minutes(2)))
        func cancelAtOnce() async throws {
            let product = try await shop.addProduct(stock: 5)
            let id = try await shop.order(product, quantity: 3, by: customer)
            #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid")
            let before = try await shop.ledger()
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<20 {
                    group.addTask { [client, customer] in try await client.post("/api/orders/\(id)/cancel", as: customer.caller).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.contains(.ok))
            #expect(statuses.allSatisfy { $0 == .ok || $0 == .conflict })
            try await eventually("the order is refunded and its pieces are back") {
                let refunded = try await shop.payments(of: id).first?["refunded"] == 30
                return try await shop.stock(of: product) == 5 && refunded ? () : nil
            }
            #expect(try await shop.ledger().provider == before.provider - 30)
            #expect(try await shop.ledger().sums.allSatisfy { $0 == 0 })
        }
    }
}
