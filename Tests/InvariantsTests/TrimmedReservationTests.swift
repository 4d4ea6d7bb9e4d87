import ChassisStorage
import Commerce
import Contracts
import Foundation
import Invariants
import Testing

@testable import ChassisEvents
@testable import OrderService
@testable import ProductService

/// Reservations go when their orders are long over. What is left must still be found sound, and what is wrong with it be noticed.
@Suite("Trimmed reservations")
struct TrimmedReservationTests {
    /// A settled shop a year later, in which a customer has just ordered again.
    private func oldShop() async throws -> (SmallShop, young: OrderID) {
        let shop = try await SmallShop.settled()
        shop.advance(by: .seconds(365 * 86_400))
        let young = try await shop.order(
            "young", by: try #require(UserID(rawValue: 1)), [(try #require(ProductID(rawValue: 1)), 2)])
        try await shop.settle()
        try await shop.change(young, .ship)
        try await shop.settle()
        try await trim(shop, keeping: .seconds(30 * 86_400))
        return (shop, young)
    }

    private func trim(_ shop: SmallShop, keeping age: Duration) async throws {
        try await ReservationStore.retention(keeping: age).trim(try shop.database(.products), shop.time)
    }

    private func broken(_ shop: SmallShop) async throws -> [String: [String]] {
        let audit = try await Audit.of(shop.books, .settled)
        return Dictionary(uniqueKeysWithValues: audit.violated.map { ($0.invariant.name, $0.finding?.violations.map(\.id) ?? []) })
    }

    @Test(
        "those of orders that are over go, those of orders that may yet be cancelled stay, and no invariant is broken, wherever the cut is")
    func cuts() async throws {
        for kept in [2_000, 800, 400, 200, 100, 50, 0] {
            let shop = try await SmallShop.settled()
            try await trim(shop, keeping: .milliseconds(kept))
            let audit = try await Audit.of(shop.books, .settled)
            #expect(audit.holds, "keeping \(kept) ms: \(audit)")
            let orders = try await shop.database(.products).read { transaction in
                try transaction.all("SELECT order_id FROM reservations ORDER BY order_id") { try $0["order_id"] as Int64? }
            }
            #expect(Set(orders).isSuperset(of: [Sample.paid, Sample.answerLost]))
            if kept == 0 { #expect(orders == [Sample.paid, Sample.answerLost]) }
            await shop.close()
        }
    }

    @Test("a shop that is a year old has the reservations of what is open or recent, and is sound")
    func sound() async throws {
        let (shop, young) = try await oldShop()
        let orders = try await shop.database(.products).read { transaction in
            try transaction.all("SELECT order_id FROM reservations ORDER BY order_id") { try $0["order_id"] as Int64? }
        }
        #expect(orders == [Sample.paid, Sample.answerLost, young.rawValue])
        #expect(try await shop.number(.products, "SELECT count(DISTINCT reservation) FROM reservation_lines") == 3)
        #expect(try await broken(shop).isEmpty)
        await shop.close()
    }

    @Test("the pieces of an order that is cancelled after a year come back")
    func cancelledLate() async throws {
        let (shop, _) = try await oldShop()
        let before = try await shop.number(.products, "SELECT on_hand FROM products WHERE id = 1")
        try await shop.change(try #require(OrderID(rawValue: Sample.paid)), .cancel)
        try await shop.settle()
        #expect(try await shop.number(.products, "SELECT on_hand FROM products WHERE id = 1") == before + 2)
        #expect(try await broken(shop).isEmpty)
        await shop.close()
    }

    @Test("a reservation that is gone too early is noticed, whether its order is open or was shipped after the cut")
    func tooEarly() async throws {
        let (shop, young) = try await oldShop()
        for order in [young.rawValue, Sample.paid] {
            try await shop.change(
                .products, "DELETE FROM reservation_lines WHERE reservation = (SELECT number FROM reservations WHERE order_id = \(order))",
                "DELETE FROM reservations WHERE order_id = \(order)")
        }
        let broken = try await broken(shop)
        #expect(Set(broken["order-lines-match-reservations"] ?? []) == ["order \(Sample.paid)", "order \(young)"])
        #expect(broken["sales-match-reservations"]?.contains("order \(young)") == true)
        await shop.close()
    }

    @Test("without a note of the trimming every missing reservation is noticed")
    func noNote() async throws {
        let (shop, _) = try await oldShop()
        try await shop.change(.products, "UPDATE reservation_retention SET trimmed_through = 0")
        #expect(try await broken(shop)["order-lines-match-reservations"]?.contains("order \(Sample.delivered)") == true)
        await shop.close()
    }

    @Test("what was sold to an old order twice, or came back without having been all of it, is noticed for ever")
    func movements() async throws {
        let (shop, _) = try await oldShop()
        try await shop.change(
            .products,
            """
            INSERT INTO stock_movements (product_id, kind, delta, balance, order_id, at)
            SELECT product_id, kind, delta, balance, order_id, at FROM stock_movements
            WHERE order_id = \(Sample.delivered) AND kind = 'reservation-committed'
            """, "UPDATE stock_movements SET delta = delta - 1 WHERE order_id = \(Sample.cancelled) AND kind = 'returned'")
        #expect(
            Set(try await broken(shop)["sales-match-reservations"] ?? []) == ["order \(Sample.delivered)", "order \(Sample.cancelled)"])
        await shop.close()
    }
}
