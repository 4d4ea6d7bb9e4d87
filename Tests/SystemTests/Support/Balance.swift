import Chassis
import ChassisTesting
import Foundation
import Testing

/// What must agree once trouble is over: the orders that customers know of, the shop's orders, stock, payments, ledger and messages.
struct Balance {
    static let stock: Int64 = 100_000
    static let price: Decimal = 10

    let product: Int64
    private let customer: SystemShop.Customer
    private let providerBefore: Decimal

    /// Adds a product to sell in the trouble, and notes what there is before it.
    init(of shop: SystemShop) async throws {
        product = try await shop.addProduct(price: 10, stock: Self.stock)
        customer = shop.customers[0]
        providerBefore = try await shop.ledger().provider
    }

    /// Waits until all orders of the product have ended, and holds everything against everything.
    func expectAgreement(in shop: SystemShop, _ accepted: [OrderFlow.Accepted]) async throws {
        let ids = Set(accepted.map(\.id))
        #expect(ids.count == accepted.count, "two keys have one order")
        let orders = try await finalOrders(in: shop)
        #expect(ids.subtracting(orders.keys) == [], "orders with a 201 are lost")
        #expect(Set(orders.keys).subtracting(ids) == [], "there are orders that no customer knows of")
        #expect(orders.values.allSatisfy { $0["status"] == "paid" || $0["status"] == "cancelled" })
        let paid = orders.filter { $0.value["status"] == "paid" }
        #expect(!paid.isEmpty)

        for (id, order) in orders {
            let payments = try await shop.payments(of: id)
            #expect(payments.count == 1, "order \(id)")
            let kept = (payments.first?["captured"].decimal ?? 0) - (payments.first?["refunded"].decimal ?? 0)
            #expect(kept == (order["status"] == "paid" ? Self.price : 0), "order \(id): \(payments)")
        }
        try await expectStock(in: shop, sold: Int64(paid.count))
        let ledger = try await shop.ledger()
        #expect(ledger.sums.allSatisfy { $0 == 0 })
        #expect(ledger.provider - providerBefore == Self.price * Decimal(paid.count))
        try await expectMessages(in: shop, about: orders)
        #expect(try await shop.command("dead", "list").text == "No dead letters.\n")
    }

    /// The orders of the product, once none is pending: a charge that was under way is taken up when its lease has ended.
    private func finalOrders(in shop: SystemShop) async throws -> [Int64: JSONValue] {
        try await eventually(within: .seconds(75), "no order is pending") { () -> [Int64: JSONValue]? in
            let all = try await shop.all("/api/orders?limit=200", as: customer.caller).filter { $0["productId"].integer == product }
            guard all.allSatisfy({ $0["status"] != "pending" }) else { return nil }
            return Dictionary(uniqueKeysWithValues: all.compactMap { order in order["id"].integer.map { ($0, order) } })
        }
    }

    /// What can be bought, and what the movements add up to, is what was there less what is sold.
    private func expectStock(in shop: SystemShop, sold: Int64) async throws {
        try await eventually(within: .seconds(45), "the stock is \(Self.stock - sold)") {
            try await shop.stock(of: product) == Self.stock - sold ? () : nil
        }
        let movements = try await shop.all("/api/products/\(product)/stock-movements?limit=200", as: shop.administrator)
        #expect(movements.compactMap { $0["delta"].integer }.reduce(0, +) == Self.stock - sold)
    }

    /// Each order has been confirmed once, and has been told as paid or as cancelled once.
    private func expectMessages(in shop: SystemShop, about orders: [Int64: JSONValue]) async throws {
        try await eventually(within: .seconds(45), "each order has its two messages") {
            let messages = try await shop.all("/api/notifications?limit=200", as: customer.caller)
            let told = Dictionary(grouping: messages) { message in
                message["subject"].string?.split(separator: " ").lazy.compactMap { Int64($0) }.first ?? 0
            }
            let allTold = orders.allSatisfy { id, order in
                let expected = ["order-placed", order["status"] == "paid" ? "order-paid" : "order-cancelled"]
                return told[id]?.compactMap { $0["kind"].string }.sorted() == expected.sorted()
            }
            return allTold ? () : nil
        }
    }
}
