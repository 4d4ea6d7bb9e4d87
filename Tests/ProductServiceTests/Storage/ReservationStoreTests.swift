import Chassis
import Commerce
import Contracts
import Foundation
import Testing

@testable import ProductService

@Suite("Reservations")
struct ReservationStoreTests {
    @Test("a reservation holds its pieces and tells name and price of each line, in the order asked")
    func reserve() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add("Lamp", cents: 4990, stock: 5)
        let pan = try await shop.add("Pan", cents: 5450, stock: 5)
        let outcome = try await shop.reserve("r", [(pan.id, 2), (lamp.id, 1)])
        let lines = [
            ReservedLine(productID: pan.id, name: "Pan", unitPrice: pan.details.price, quantity: try pieces(2)),
            ReservedLine(productID: lamp.id, name: "Lamp", unitPrice: lamp.details.price, quantity: try pieces(1)),
        ]
        #expect(outcome == .reserved(lines: lines, expiresAt: shop.clock.source.now + .seconds(900)))
        let stored = try await shop.products.product(pan.id)
        #expect(stored.onHand == 5 && stored.reserved == 2 && stored.available == 3)
        #expect(try await shop.products.movements(of: pan.id, limit: 10, before: nil).elements.count == 1)
    }

    @Test("asking again is asking once, and is told the price of the first time")
    func repetition() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 5)
        let first = try await shop.reserve("r", [(lamp.id, 2)])
        _ = try await shop.products.change(lamp.id, ProductChange(name: "Lantern", price: 99), if: .any)
        shop.clock.advance(by: .seconds(60))
        #expect(try await shop.reserve("r", [(lamp.id, 2)]) == first)
        #expect(try await shop.products.product(lamp.id).reserved == 2)
        try await shop.apply(.orderPaid(order(1)), to: "r")
        #expect(try await shop.reserve("r", [(lamp.id, 2)]) == first)
        #expect(try await shop.products.product(lamp.id).onHand == 3)
    }

    @Test("twice in one batch is once, too")
    func repetitionInBatch() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 5)
        let request = ReservationRequest(id: "r", lines: [ReservationLine(productID: lamp.id, quantity: try pieces(2))])
        let outcomes = try await shop.reservations.reserve([request, request])
        #expect(outcomes[0] == outcomes[1])
        #expect(try await shop.products.product(lamp.id).reserved == 2)
    }

    @Test("the same reservation asked for 50 times at once is one, and all are told the same")
    func repetitionAtOnce() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 5)
        let outcomes = try await withThrowingTaskGroup(of: ReservationOutcome.self) { group in
            for _ in 0..<50 { group.addTask { try await shop.reserve("r", [(lamp.id, 2)]) } }
            return try await group.reduce(into: Set<ReservationOutcome>()) { $0.insert($1) }
        }
        #expect(outcomes.count == 1 && outcomes.allSatisfy(\.isReserved))
        #expect(try await shop.products.product(lamp.id).reserved == 2)
    }

    @Test("the same id with other lines is a mismatch")
    func mismatch() async throws {
        let shop = try await TestShop()
        let (lamp, pan) = (try await shop.add(), try await shop.add())
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        #expect(try await shop.reserve("r", [(lamp.id, 1)]) == .mismatch)
        #expect(try await shop.reserve("r", [(pan.id, 2)]) == .mismatch)
        #expect(try await shop.reserve("r", [(lamp.id, 2), (pan.id, 1)]) == .mismatch)
        #expect(try await shop.products.product(lamp.id).reserved == 2)
        #expect(try await shop.products.product(pan.id).reserved == 0)
    }

    @Test(
        "a reservation that has ended needs a new id",
        arguments: [ReservationEvent.givenUp, .leaseEnded, .orderUndone(OrderID(rawValue: 1)!)])
    func ended(event: ReservationEvent) async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        try await shop.apply(event, to: "r")
        #expect(try await shop.reserve("r", [(lamp.id, 2)]) == .ended)
        #expect(try await shop.products.product(lamp.id).available == 5)
    }

    @Test("all lines or none: one that cannot be had leaves no trace of the others, and the id is free")
    func allOrNothing() async throws {
        let shop = try await TestShop()
        let (lamp, pan) = (try await shop.add(stock: 5), try await shop.add(stock: 1))
        #expect(try await shop.reserve("r", [(lamp.id, 2), (pan.id, 2)]) == .insufficientStock(pan.id, available: 1))
        #expect(try await shop.reserve("r", [(lamp.id, 2), (product(99), 1)]) == .unknownProduct(try product(99)))
        #expect(try await shop.products.product(lamp.id).reserved == 0)
        #expect(try await shop.state(of: "r") == nil)
        guard case .reserved = try await shop.reserve("r", [(lamp.id, 2)]) else { return #expect(Bool(false), "the id is not free") }
    }

    @Test("each reservation of a batch stands or falls alone")
    func batch() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 3)
        let requests = try (0..<5).map {
            ReservationRequest(id: "r\($0)", lines: [ReservationLine(productID: lamp.id, quantity: try pieces($0 == 1 ? 9 : 1))])
        }
        let outcomes = try await shop.reservations.reserve(requests)
        #expect(outcomes.map(\.isReserved) == [true, false, true, true, false])
        #expect(outcomes[1] == .insufficientStock(lamp.id, available: 2))
        #expect(outcomes[4] == .insufficientStock(lamp.id, available: 0))
    }

    @Test("200 customers at once for the last 10 pieces: exactly 10 get one")
    func lastPieces() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 10)
        let reserved = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask { try await shop.reserve("r\(number)", [(lamp.id, 1)]).isReserved }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(reserved == 10)
        let stored = try await shop.products.product(lamp.id)
        #expect(stored.available == 0 && stored.reserved == 10 && stored.onHand == 10)
    }
}

@Suite("How reservations end")
struct ReservationEndingTests {
    @Test("a paid order's pieces leave the shelf, once")
    func paid() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        for _ in 0..<2 { try await shop.apply(.orderPaid(order(7)), to: "r") }
        let stored = try await shop.products.product(lamp.id)
        #expect(stored.onHand == 3 && stored.reserved == 0)
        let movement = try #require(try await shop.products.movements(of: lamp.id, limit: 10, before: nil).elements.first)
        #expect(movement.kind == .reservationCommitted && movement.delta == -2 && movement.balance == 3 && movement.orderID?.rawValue == 7)
    }

    @Test("an order that is cancelled before it is paid frees its pieces; one that was paid returns them; each once")
    func undone() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("held", [(lamp.id, 2)])
        _ = try await shop.reserve("sold", [(lamp.id, 1)])
        try await shop.apply(.orderPaid(order(2)), to: "sold")
        for _ in 0..<2 {
            try await shop.apply(.orderUndone(order(1)), to: "held")
            try await shop.apply(.orderUndone(order(2)), to: "sold")
        }
        let stored = try await shop.products.product(lamp.id)
        #expect(stored.onHand == 5 && stored.reserved == 0)
        #expect(
            try await shop.products.movements(of: lamp.id, limit: 10, before: nil).elements.map(\.kind) == [
                .returned, .reservationCommitted, .received,
            ])
    }

    @Test("a lease ends by itself, not before its time")
    func expiry() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        shop.clock.advance(by: .milliseconds(59_999))
        #expect(try await shop.reservations.expireLeases(atMost: 10) == 0)
        shop.clock.advance(by: .milliseconds(1))
        #expect(try await shop.reservations.expireLeases(atMost: 10) == 1)
        #expect(try await shop.products.product(lamp.id).available == 5)
        #expect(try await shop.state(of: "r") == .expired)
    }

    @Test("a sweep ends all that is over, in bounded transactions")
    func sweep() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 500)
        for number in 0..<250 { _ = try await shop.reserve("r\(number)", [(lamp.id, 1)]) }
        shop.clock.advance(by: .seconds(61))
        _ = try await shop.reserve("later", [(lamp.id, 1)])
        try await LeaseSweep(reservations: shop.reservations).run()
        #expect(try await shop.products.product(lamp.id).reserved == 1)
        #expect(try await shop.state(of: "later") == .held)
    }

    @Test("an order that is paid after its lease gets its pieces while there are any")
    func paidLate() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        shop.clock.advance(by: .seconds(61))
        try await LeaseSweep(reservations: shop.reservations).run()
        try await shop.apply(.orderPaid(order(1)), to: "r")
        let stored = try await shop.products.product(lamp.id)
        #expect(stored.onHand == 3 && stored.reserved == 0)
        #expect(try await shop.state(of: "r") == .committed)
        #expect(try await shop.announced().isEmpty)
    }

    @Test("a lease that is over but not yet swept is still held when its order is paid")
    func paidBeforeSweep() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 2)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        shop.clock.advance(by: .seconds(61))
        try await shop.apply(.orderPaid(order(1)), to: "r")
        try await LeaseSweep(reservations: shop.reservations).run()
        let stored = try await shop.products.product(lamp.id)
        #expect(stored.onHand == 0 && stored.reserved == 0)
    }

    @Test("an order that is paid when its pieces are gone is said to be lost, once, and takes nothing")
    func lost() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let (pan, lamp) = (try await shop.add(stock: 5), try await shop.add(stock: 2))
        _ = try await shop.reserve("r", [(pan.id, 1), (lamp.id, 2)])
        shop.clock.advance(by: .seconds(61))
        try await LeaseSweep(reservations: shop.reservations).run()
        _ = try await shop.withdraw(1, from: lamp.id)
        for _ in 0..<2 { try await shop.apply(.orderPaid(order(7)), to: "r") }
        try await shop.apply(.orderUndone(order(7)), to: "r")
        #expect(try await shop.announced() == [ReservationLost.eventType])
        #expect(try await shop.state(of: "r") == .lost)
        #expect(try await shop.products.product(pan.id).onHand == 5)
        #expect(try await shop.products.product(lamp.id).onHand == 1)
    }

    @Test("a payment that is told after the cancellation takes nothing")
    func paidAfterCancellation() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 2)
        _ = try await shop.reserve("held", [(lamp.id, 1)])
        _ = try await shop.reserve("expired", [(lamp.id, 1)])
        try await shop.apply(.orderUndone(order(1)), to: "held")
        shop.clock.advance(by: .seconds(61))
        try await LeaseSweep(reservations: shop.reservations).run()
        try await shop.apply(.orderUndone(order(2)), to: "expired")
        try await shop.apply(.orderPaid(order(1)), to: "held")
        try await shop.apply(.orderPaid(order(2)), to: "expired")
        #expect(try await shop.products.product(lamp.id).available == 2)
        #expect(try await shop.announced().isEmpty)
    }

    @Test("kept pages are dropped when what can be bought changes, and only then")
    func catalogVersion() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 3)
        func advances(_ body: () async throws -> Void) async throws -> Bool {
            let before = shop.products.version.current
            try await body()
            return shop.products.version.current > before
        }
        #expect(try await advances { _ = try await shop.reserve("r", [(lamp.id, 1)]) })
        #expect(try await !advances { _ = try await shop.reserve("r", [(lamp.id, 2)]) })
        #expect(try await !advances { _ = try await shop.reserve("s", [(lamp.id, 9)]) })
        #expect(try await !advances { try await shop.apply(.orderPaid(order(1)), to: "r") })
        #expect(try await advances { try await shop.apply(.orderUndone(order(1)), to: "r") })
        #expect(try await !advances { try await shop.apply(.orderUndone(order(1)), to: "r") })
        #expect(try await !advances { _ = try? await shop.withdraw(9, from: lamp.id) })
        #expect(try await advances { _ = try await shop.withdraw(1, from: lamp.id) })
        #expect(try await advances { _ = try await shop.restock(1, of: lamp.id) })
        #expect(try await advances { _ = try await shop.products.change(lamp.id, ProductChange(name: "x"), if: .any) })
        #expect(try await advances { try await shop.products.archive(lamp.id, if: .any) })
    }

    @Test("what nobody could store an order for is given up, as often as one likes; what is sold is not")
    func givenUp() async throws {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 2)
        _ = try await shop.reserve("r", [(lamp.id, 1)])
        _ = try await shop.reserve("sold", [(lamp.id, 1)])
        for _ in 0..<2 { try await shop.reservations.giveUp("r") }
        #expect(try await shop.products.product(lamp.id).available == 1)
        try await shop.apply(.orderPaid(order(1)), to: "sold")
        await #expect(throws: ReservationError.alreadySold("sold")) { try await shop.reservations.giveUp("sold") }
        await #expect(throws: ReservationError.unknown("nobody's")) { try await shop.reservations.giveUp("nobody's") }
        await #expect(throws: ReservationError.unknown("nobody's")) { try await shop.apply(.orderPaid(order(1)), to: "nobody's") }
    }
}

extension ReservationOutcome {
    var isReserved: Bool {
        if case .reserved = self { true } else { false }
    }
}
