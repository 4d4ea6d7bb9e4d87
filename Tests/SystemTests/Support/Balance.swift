import Chassis
import ChassisTesting
import Foundation
import Testing

/// What must agree once trouble is over: the orders that customers know of, those of the shop, and, by `souk audit`, all of its books.
struct Balance {
    static let stock: Int64 = 100_000

    let product: Int64
    private let customer: SystemShop.Customer

    /// Adds a product to sell in the trouble.
    init(of shop: SystemShop) async throws {
        product = try await shop.addProduct(price: 10, stock: Self.stock)
        customer = shop.customers[0]
    }

    /// Holds the books against each other while work is still under way; then waits until all orders of the product have ended, and
    /// holds everything against everything.
    func expectAgreement(in shop: SystemShop, _ accepted: [OrderFlow.Accepted]) async throws {
        try await shop.expectSoundBooks()
        let ids = Set(accepted.map(\.id))
        #expect(ids.count == accepted.count, "two keys have one order")
        let orders = try await finalOrders(in: shop)
        #expect(ids.subtracting(orders.keys) == [], "orders with a 201 are lost")
        #expect(Set(orders.keys).subtracting(ids) == [], "there are orders that no customer knows of")
        #expect(orders.values.allSatisfy { $0["status"] == "paid" || $0["status"] == "cancelled" })
        let paid = orders.filter { $0.value["status"] == "paid" }
        #expect(!paid.isEmpty)
        try await eventually(within: .seconds(45), "what can be bought is what was there less what is sold") {
            try await shop.stock(of: product) == Self.stock - Int64(paid.count) ? () : nil
        }
        try await shop.expectSettledBooks()
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
}
