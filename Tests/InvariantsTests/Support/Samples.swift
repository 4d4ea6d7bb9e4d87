import Commerce
import Contracts
import Invariants
import Testing

@testable import OrderService
@testable import ProductService

/// The orders that a sample shop has, by what became of them; the number is the order's id, and the id of its payment.
enum Sample {
    static let paid: Int64 = 1
    static let declined: Int64 = 2
    static let delivered: Int64 = 3
    static let cancelled: Int64 = 4
    static let refunded: Int64 = 5
    static let refundedInPart: Int64 = 6
    static let lost: Int64 = 7
    static let voided: Int64 = 8
    static let answerLost: Int64 = 9
    static let capturedLate: Int64 = 10
    static let chargedBack: Int64 = 11
    static let chargebackReversed: Int64 = 12
    // In the busy shop only, each with something that somebody has still to do.
    static let lossUnheard: Int64 = 13
    static let unsold: Int64 = 14
    static let toBeRefunded: Int64 = 15
    static let refundUnheard: Int64 = 16
    static let captureUnheard: Int64 = 17
    static let toBeCharged: Int64 = 18
    static let unheard: Int64 = 19
}

extension SmallShop {
    /// A shop that has been through everything and is at rest.
    static func settled(afterStep: @escaping @Sendable (Books) async throws -> Void = { _ in }) async throws -> SmallShop {
        let shop = try await SmallShop(afterStep: afterStep)
        try await shop.live()
        return shop
    }

    /// The same shop in the middle of everything: something is under way between any two services.
    static func busy(afterStep: @escaping @Sendable (Books) async throws -> Void = { _ in }) async throws -> SmallShop {
        let shop = try await SmallShop(afterStep: afterStep)
        try await shop.live()
        try await shop.beginMore()
        return shop
    }

    private func live() async throws {
        let (ada, bob) = (try await register("ada"), try await register("bob"))
        let gone = try await register("gone")
        let lamp = try await add("Lamp", price: 1_000, stock: 100)
        let chair = try await add("Chair", price: 2_500, stock: 5)
        let rarity = try await add("Rarity", price: 99_900, stock: 1)
        try await settle()

        _ = try await order("paid", by: ada, [(lamp, 2), (chair, 1)])
        _ = try await order("declined", by: ada, [(chair, 1)], method: "tok_declined")
        let delivered = try await order("delivered", by: bob, [(lamp, 1)])
        let cancelled = try await order("cancelled", by: bob, [(lamp, 3)])
        let refunded = try await order("refunded", by: ada, [(lamp, 1), (chair, 2)])
        let inPart = try await order("in part", by: ada, [(lamp, 4)])
        try await settle()
        try await change(delivered, .ship)
        try await change(delivered, .deliver)
        try await change(cancelled, .cancel)
        try await change(inPart, .ship)
        try await refund(inPart, 1_500)
        try await refund(refunded, 500)
        try await settle()
        try await refund(refunded)
        try await settle()

        try await loseOrder(of: rarity, by: ada)
        let voided = try await order("voided", by: bob, [(lamp, 1)])
        try await change(voided, .cancel)
        try await settle()
        _ = try await order("answer lost", by: bob, [(lamp, 1)], method: "tok_timeout")
        try await settle()
        let late = try await order("captured late", by: ada, [(lamp, 1)])
        try await consume(.payments, from: .orders)
        try await change(late, .cancel)
        try await work(.payments)
        try await settle()

        let chargedBack = try await order("charged back", by: ada, [(lamp, 1)])
        let reversed = try await order("charged back and reversed", by: bob, [(lamp, 2)])
        try await settle()
        try await change(chargedBack, .ship)
        try await chargeBack(chargedBack)
        try await chargeBack(reversed, reverse: true)
        try await settle()

        _ = try await reserve("given-up", [(lamp, 1)])
        try await reservations.giveUp("given-up")
        try await restock(10, of: lamp)
        try await sell(2, of: lamp)
        try await erase(gone)
        try await settle()
    }

    /// An order that is paid when its lease has ended and its piece is sold to somebody else.
    private func loseOrder(of product: ProductID, by user: UserID, tellingNobody: Bool = false) async throws {
        _ = try await order("lost \(product)", by: user, [(product, 1)])
        try await consume(.payments, from: .orders)
        try await work(.payments)
        advance(by: Self.lease)
        try await sweep()
        try await sell(1, of: product)
        guard tellingNobody else { return try await settle() }
        try await consume(.orders, from: .payments)
        try await consume(.products, from: .orders)
    }

    /// Each wire and each queue is left with something in it; what goes further comes first, because events are consumed in order.
    private func beginMore() async throws {
        let user = try await register("eve")
        let lamp = try #require(ProductID(rawValue: 1))
        try await loseOrder(of: try await add("Another rarity", price: 99_900, stock: 1), by: user, tellingNobody: true)

        _ = try await order("unsold", by: user, [(lamp, 1)])
        let toBeRefunded = try await order("to be refunded", by: user, [(lamp, 1)])
        let refundUnheard = try await order("refund unheard", by: user, [(lamp, 2)])
        try await consume(.payments, from: .orders)
        try await work(.payments)
        try await consume(.orders, from: .payments)

        try await refund(refundUnheard, 700)
        _ = try await order("capture unheard", by: user, [(lamp, 1)])
        try await consume(.payments, from: .orders)
        try await work(.payments)

        try await change(toBeRefunded, .cancel)
        _ = try await order("to be charged", by: user, [(lamp, 1)])
        try await consume(.payments, from: .orders)
        _ = try await order("unheard", by: user, [(lamp, 1)])
    }
}
