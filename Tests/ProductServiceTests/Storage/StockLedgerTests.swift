import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Testing

@testable import ProductService

/// Random histories of a shop, checked after every step: what is on the shelf is what the ledger says, what is promised is what the open
/// reservations say, and nothing is ever below zero. A failure names its seed.
@Suite("The ledger adds up")
struct StockLedgerTests {
    @Test("after any history", arguments: 1...20 as ClosedRange<UInt64>)
    func histories(seed: UInt64) async throws {
        var history = try await RandomHistory(seed: seed)
        for _ in 0..<150 {
            try await history.step()
            try await history.check()
        }
    }

    @Test("after many histories at once")
    func concurrentHistories() async throws {
        let shop = try await TestShop(lease: .seconds(30))
        for _ in 0..<3 { try await shop.add(stock: 40) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 0..<8 {
                group.addTask {
                    var history = RandomHistory(shop: shop, seed: UInt64(seed), prefix: "h\(seed)-")
                    for _ in 0..<60 { try await history.step() }
                }
            }
            try await group.waitForAll()
        }
        try await RandomHistory(shop: shop, seed: 0, prefix: "").check()
    }
}

private struct RandomHistory {
    let shop: TestShop
    let prefix: String
    private var generator: SeededGenerator
    private var reservations = 0

    init(shop: TestShop, seed: UInt64, prefix: String) {
        self.shop = shop
        self.prefix = prefix
        generator = SeededGenerator(seed: seed)
    }

    init(seed: UInt64) async throws {
        self.init(shop: try await TestShop(lease: .seconds(30)), seed: seed, prefix: "r")
        for _ in 0..<3 { try await shop.add(stock: Int64.random(in: 0...20, using: &generator)) }
    }

    /// One thing that can happen to a shop. Being refused is as good an outcome as another.
    mutating func step() async throws {
        let product = try product(Int64.random(in: 1...4, using: &generator))
        let quantity = Int64.random(in: 1...6, using: &generator)
        do {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: _ = try await shop.withdraw(quantity, from: product, kind: .adjustment)
            case 1: _ = try await shop.restock(quantity, of: product)
            case 2...4: try await reserve(quantity, product)
            case 5, 6: try await shop.apply(.orderPaid(order(1)), to: anyReservation())
            case 7: try await shop.apply(.orderUndone(order(1)), to: anyReservation())
            case 8: try await shop.reservations.giveUp(anyReservation())
            default:
                shop.clock.advance(by: .seconds(Int64.random(in: 1...20, using: &generator)))
                try await LeaseSweep(reservations: shop.reservations).run()
            }
        } catch is ProductError {
        } catch is ReservationError {}
    }

    private mutating func reserve(_ quantity: Int64, _ first: ProductID) async throws {
        // Now and then the same id again, with the same or with other lines.
        let number = Bool.random(using: &generator) ? reservations : max(0, reservations - 1)
        reservations = number + 1
        var lines = [(first, quantity)]
        let second = try product(Int64.random(in: 1...3, using: &generator))
        if second != first { lines.append((second, quantity)) }
        _ = try await shop.reserve("\(prefix)\(number)", lines)
    }

    private mutating func anyReservation() -> String {
        "\(prefix)\(Int.random(in: 0...max(1, reservations), using: &generator))"
    }

    func check() async throws {
        let mistakes = try await shop.database.read { transaction in
            try transaction.all(
                """
                SELECT p.id, p.on_hand, p.reserved,
                    (SELECT coalesce(sum(m.delta), 0) FROM stock_movements m WHERE m.product_id = p.id) AS ledger,
                    (SELECT coalesce(sum(l.quantity), 0) FROM reservation_lines l JOIN reservations r ON r.number = l.reservation
                     WHERE l.product_id = p.id AND r.state = 'held') AS promised,
                    (SELECT count(*) FROM stock_movements m WHERE m.product_id = p.id AND m.balance <>
                        (SELECT sum(e.delta) FROM stock_movements e WHERE e.product_id = p.id AND e.id <= m.id)) AS wrong_balances
                FROM products p
                """
            ) { row in
                let (onHand, reserved): (Int64, Int64) = (try row["on_hand"], try row["reserved"])
                let (ledger, promised, wrong): (Int64, Int64, Int64) = (try row["ledger"], try row["promised"], try row["wrong_balances"])
                return onHand == ledger && reserved == promised && reserved <= onHand && reserved >= 0 && wrong == 0
            }.filter { !$0 }.count
        }
        #expect(mistakes == 0)
    }
}
