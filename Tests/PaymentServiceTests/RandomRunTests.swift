import Chassis
import ChassisTesting
import Commerce
import HTTPTypes
import Testing

@testable import PaymentService

@Suite("Money in balance, whatever happens in whatever order")
struct RandomRunTests {
    private static let methods = ["tok_visa", "tok_visa", "tok_visa", "tok_flaky", "tok_timeout", "tok_declined", "tok_insufficient_funds"]

    /// Orders, cancellations and refunds without a plan, drawn from a seed. When all is done the books are held against each other.
    @Test("after a random run the ledger sums to zero and agrees with the provider", arguments: [1, 2, 3] as [UInt64])
    func run(seed: UInt64) async throws {
        try await PaymentShop.open { shop in
            var generator = SeededGenerator(seed: seed)
            let currencies = [Currency.usd, try #require(Currency(code: "JPY")), try #require(Currency(code: "KWD"))]
            var placed: [Int64] = []
            for order in Int64(1)...60 {
                let method = Self.methods[Int.random(in: 0..<Self.methods.count, using: &generator)]
                let currency = currencies[Int.random(in: 0..<currencies.count, using: &generator)]
                try await shop.say(.placed(order, amount: .random(in: 0...100_000, using: &generator), currency: currency, method: method))
                placed.append(order)
                let victim = placed[Int.random(in: 0..<placed.count, using: &generator)]
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: try await shop.say(.cancelled(victim))
                case 1: try await refund(victim, Int64.random(in: 1...50, using: &generator), shop)
                default: break
                }
            }
            try await shop.settled()
            try await shop.checkBooks()
            let ledger = try await shop.client.get("/api/payments/ledger", as: .administrator).json
            #expect(ledger["sums"].count == 3)
            for sum in ledger["sums"].array { #expect(sum["sum"] == 0) }
        }
    }

    /// Asks for a refund that may be granted or not: the payment may not be there yet, or may have nothing to give.
    private func refund(_ order: Int64, _ amount: Int64, _ shop: PaymentShop) async throws {
        guard let id = try await shop.payment(ofOrder: order)["id"].integer else { return }
        let reply = try await shop.client.post(
            "/api/payments/\(id)/refunds", ["amount": .integer(amount), "reason": "random"], as: .administrator)
        #expect([201, 400, 409].contains(reply.status.code))
    }
}
