import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

/// Each payment method of the sandbox ends as it should, without a person's help.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct PaymentMethodTests: ShopSuite {
        /// How an order with a payment method ends.
        struct Ending: Sendable, CustomTestStringConvertible {
            let method: String
            let status: String
            let attempts: Int64
            let reason: String?

            var isPaid: Bool { status == "paid" }
            var testDescription: String { "\(method) ends \(status)" }

            static let all = [
                Ending(method: "tok_visa", status: "paid", attempts: 1, reason: nil),
                Ending(method: "tok_declined", status: "cancelled", attempts: 1, reason: "The card was declined"),
                Ending(method: "tok_insufficient_funds", status: "cancelled", attempts: 1, reason: "The card has insufficient funds"),
                Ending(method: "tok_flaky", status: "paid", attempts: 3, reason: nil),
                Ending(method: "tok_timeout", status: "paid", attempts: 2, reason: nil),
                Ending(method: "tok_of_another_shop", status: "cancelled", attempts: 1, reason: "The payment method is not known"),
            ]
        }

        @Test("money, stock, timeline and messages agree with the ending", .timeLimit(.minutes(1)), arguments: Ending.all)
        func ends(_ ending: Ending) async throws {
            let product = try await shop.addProduct(price: 7.25, stock: 9)
            let before = try await shop.ledger()
            let id = try await shop.order(product, quantity: 4, method: ending.method, by: customer)
            let order = try await shop.outcome(of: id, of: customer)

            #expect(order["status"].string == ending.status)
            #expect(order["timeline"].array.compactMap { $0["status"].string } == ["pending", ending.status])
            #expect(order["timeline"][1]["reason"].string == ending.reason)

            let payments = try await shop.payments(of: id)
            #expect(payments.count == 1)
            let payment = try #require(payments.first)
            #expect(payment["status"].string == (ending.isPaid ? "captured" : "failed"))
            #expect(payment["amount"] == 29 && payment["captured"] == (ending.isPaid ? 29 : 0) && payment["refunded"] == 0)
            #expect(payment["attempts"].integer == ending.attempts)

            let after = try await shop.ledger()
            #expect(after.sums.allSatisfy { $0 == 0 })
            #expect(after.provider - before.provider == (ending.isPaid ? 29 : 0))

            try await eventually("the stock is right") { try await shop.stock(of: product) == (ending.isPaid ? 5 : 9) ? () : nil }
            let expected = ["order-placed", ending.isPaid ? "order-paid" : "order-cancelled"]
            try await eventually("the messages \(expected)") {
                try await shop.messages(about: id, to: customer).sorted() == expected.sorted() ? () : nil
            }
        }

        @Test("a customer's bank takes the money of a paid order back: the order is off, the pieces are back", .timeLimit(.minutes(1)))
        func chargedBack() async throws {
            let product = try await shop.addProduct(price: 7.25, stock: 9)
            let before = try await shop.ledger()
            let id = try await shop.order(product, quantity: 4, method: "tok_chargeback", by: customer)
            let order = try await eventually("the order is cancelled") {
                let order = try await client.get("/api/orders/\(id)", as: customer.caller).json
                return order["status"] == "cancelled" ? order : JSONValue?.none
            }
            #expect(order["timeline"].array.compactMap { $0["status"].string } == ["pending", "paid", "cancelled"])
            #expect(order["timeline"][2]["reason"] == "The payment was charged back")
            #expect(order["payment"]["captured"] == 29 && order["payment"]["chargedBack"] == 29 && order["payment"]["refunded"] == 0)
            let after = try await shop.ledger()
            #expect(after.sums.allSatisfy { $0 == 0 } && after.provider == before.provider)
            try await eventually("the pieces are back") { try await shop.stock(of: product) == 9 ? () : nil }
            let expected = ["order-cancelled", "order-paid", "order-placed", "payment-charged-back"]
            try await eventually("the messages \(expected)") {
                try await shop.messages(about: id, to: customer).sorted() == expected ? () : nil
            }
        }

        @Test("cancelling a paid order refunds the money and puts the pieces back", .timeLimit(.minutes(1)))
        func cancelPaid() async throws {
            let product = try await shop.addProduct(price: 19.99, stock: 3)
            let before = try await shop.ledger()
            let id = try await shop.order(product, quantity: 2, by: customer)
            #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid")

            let reply = try await client.post("/api/orders/\(id)/cancel", as: customer.caller)
            #expect(reply.status == .ok && reply.json["status"] == "cancelled")
            let payment = try await eventually("the refund") {
                let payment = try await shop.payments(of: id).first
                return payment?["status"] == "refunded" ? payment : JSONValue?.none
            }
            #expect(payment["captured"] == 39.98 && payment["refunded"] == 39.98)
            try await eventually("the pieces are back") { try await shop.stock(of: product) == 3 ? () : nil }
            let after = try await shop.ledger()
            #expect(after.sums.allSatisfy { $0 == 0 })
            #expect(after.provider == before.provider)

            let order = try await eventually("the order knows of its refund") {
                let order = try await shop.order(id, of: customer)
                return order["payment"]["refunded"] == 39.98 ? order : JSONValue?.none
            }
            #expect(order["timeline"].array.compactMap { $0["status"].string }.prefix(3) == ["pending", "paid", "cancelled"])
            let expected = ["order-cancelled", "order-paid", "order-placed", "refund-issued"]
            try await eventually("the messages \(expected)") {
                try await shop.messages(about: id, to: customer).sorted() == expected ? () : nil
            }
        }

        @Test("a shipped order can no longer be cancelled, and tells of every step", .timeLimit(.minutes(1)))
        func ship() async throws {
            let product = try await shop.addProduct(stock: 3)
            let id = try await shop.order(product, by: customer)
            #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid")
            #expect(try await client.post("/api/orders/\(id)/ship", as: administrator).status == .ok)
            let cancel = try await client.post("/api/orders/\(id)/cancel", as: customer.caller)
            #expect(cancel.status == .conflict)
            expectProblem(cancel)
            #expect(try await client.post("/api/orders/\(id)/deliver", as: administrator).status == .ok)
            let order = try await shop.order(id, of: customer)
            #expect(order["timeline"].array.compactMap { $0["status"].string } == ["pending", "paid", "shipped", "delivered"])
            #expect(try await shop.stock(of: product) == 2)
        }

        @Test("an administrator refunds a part, never more than was captured", .timeLimit(.minutes(1)))
        func partialRefund() async throws {
            let product = try await shop.addProduct(price: 30, stock: 3)
            let id = try await shop.order(product, by: customer)
            #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid")
            let payment = try #require(try await shop.payments(of: id).first?["id"].integer)
            let path = "/api/payments/\(payment)/refunds"
            #expect(try await client.post(path, ["amount": 10.5, "reason": "a scratch"], as: administrator).status == .created)
            let tooMuch = try await client.post(path, ["amount": 19.51, "reason": "too much"], as: administrator)
            #expect([.badRequest, .conflict, .unprocessableContent].contains(tooMuch.status), "\(tooMuch.text)")
            expectProblem(tooMuch)
            try await eventually("the refund is done") { try await shop.payments(of: id).first?["refunded"] == 10.5 ? () : nil }
            #expect(try await shop.ledger().sums.allSatisfy { $0 == 0 })
        }
    }
}
