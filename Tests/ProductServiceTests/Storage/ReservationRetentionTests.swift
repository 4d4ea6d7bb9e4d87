import Chassis
import ChassisStorage
import Commerce
import Contracts
import Foundation
import Testing

@testable import ChassisEvents
@testable import ProductService

@Suite("The retention of reservations")
struct ReservationRetentionTests {
    private static let month = Duration.seconds(30 * 86_400)
    private static let retention = ReservationStore.retention(keeping: month)

    private func kept(_ shop: TestShop) async throws -> [String] {
        try await shop.database.read { try $0.all("SELECT id FROM reservations ORDER BY id") { try $0["id"] } }
    }

    /// One reservation for each way to end, and two that have not ended.
    private func filled() async throws -> TestShop {
        let shop = try await TestShop()
        let lamp = try await shop.add(stock: 100)
        for name in ["shipped", "paid", "returned", "cancelled", "given up", "expired"] {
            _ = try await shop.reserve(name, [(lamp.id, 1)])
        }
        for (number, name) in ["shipped", "paid", "returned"].enumerated() {
            try await shop.apply(.orderPaid(order(Int64(number + 1))), to: name)
        }
        try await shop.apply(.orderShipped(order(1)), to: "shipped")
        try await shop.apply(.orderUndone(order(3)), to: "returned")
        try await shop.apply(.orderUndone(order(4)), to: "cancelled")
        try await shop.reservations.giveUp("given up")
        shop.clock.advance(by: .seconds(900))
        _ = try await shop.reservations.expireLeases(atMost: 10)
        _ = try await shop.reserve("held", [(lamp.id, 1)])
        return shop
    }

    @Test("what has ended goes a month after its end, with its lines; what is held or sold and not shipped stays")
    func ended() async throws {
        let shop = try await filled()
        shop.clock.advance(by: Self.month - .seconds(1))
        #expect(try await Self.retention.trim(shop.database, shop.clock.source) == 4)
        #expect(try await kept(shop) == ["expired", "held", "paid"])
        shop.clock.advance(by: .seconds(900))
        #expect(try await Self.retention.trim(shop.database, shop.clock.source) == 1)
        #expect(try await kept(shop) == ["held", "paid"])
        #expect(try await shop.database.read { try $0.value("SELECT count(*) FROM reservation_lines", as: Int64.self) } == 2)
    }

    @Test("the latest end that was trimmed is noted")
    func note() async throws {
        let shop = try await filled()
        func through() async throws -> Int64? {
            try await shop.database.read { try $0.value("SELECT trimmed_through FROM reservation_retention") }
        }
        try await Self.retention.trim(shop.database, shop.clock.source)
        #expect(try await through() == 0)
        let latest = try await shop.database.read { try $0.value("SELECT MAX(ended_at) FROM reservations", as: Int64.self) }
        shop.clock.advance(by: Self.month * 2)
        try await Self.retention.trim(shop.database, shop.clock.source)
        #expect(try await through() == latest)
    }

    @Test("shipping again does not put the end off")
    func firstEnd() async throws {
        let shop = try await filled()
        shop.clock.advance(by: Self.month - .seconds(1))
        try await shop.apply(.orderShipped(order(1)), to: "shipped")
        try await Self.retention.trim(shop.database, shop.clock.source)
        #expect(try await !kept(shop).contains("shipped"))
    }

    @Test("a lease that had ended and was sold after all has no end until its order has")
    func soldAgain() async throws {
        let shop = try await filled()
        try await shop.apply(.orderPaid(order(6)), to: "expired")
        shop.clock.advance(by: Self.month * 12)
        try await Self.retention.trim(shop.database, shop.clock.source)
        #expect(try await kept(shop) == ["expired", "held", "paid"])
    }

    @Test("an order that was lost keeps its reservation until it is off")
    func lost() async throws {
        let shop = try await TestShop()
        let rarity = try await shop.add(stock: 1)
        _ = try await shop.reserve("r", [(rarity.id, 1)])
        shop.clock.advance(by: .seconds(900))
        _ = try await shop.reservations.expireLeases(atMost: 10)
        _ = try await shop.withdraw(1, from: rarity.id)
        try await shop.apply(.orderPaid(order(1)), to: "r")
        #expect(try await shop.state(of: "r") == .lost)
        shop.clock.advance(by: Self.month * 2)
        try await Self.retention.trim(shop.database, shop.clock.source)
        #expect(try await kept(shop) == ["r"])
        try await shop.apply(.orderUndone(order(1)), to: "r")
        shop.clock.advance(by: Self.month * 2)
        try await Self.retention.trim(shop.database, shop.clock.source)
        #expect(try await kept(shop).isEmpty)
    }

    @Test("an event about a trimmed reservation is refused, not taken for done")
    func tooLate() async throws {
        let shop = try await filled()
        shop.clock.advance(by: Self.month * 2)
        try await Self.retention.trim(shop.database, shop.clock.source)
        await #expect { try await shop.apply(.orderPaid(order(6)), to: "expired") } throws: { error in
            if case .unknown("expired")? = error as? ReservationError { true } else { false }
        }
    }

    @Test("more old reservations than one transaction takes all go in one run")
    func many() async throws {
        let shop = try await TestShop(lease: .seconds(1))
        let lamp = try await shop.add(stock: 10_000)
        let requests = try (0..<1_201).map { index in
            ReservationRequest(id: "r\(index)", lines: [ReservationLine(productID: lamp.id, quantity: try pieces(1))])
        }
        _ = try await shop.reservations.reserve(requests)
        shop.clock.advance(by: .seconds(1))
        while try await shop.reservations.expireLeases(atMost: 500) > 0 {}
        shop.clock.advance(by: Self.month * 2)
        #expect(try await Self.retention.trim(shop.database, shop.clock.source) == 1_201)
        #expect(try await kept(shop).isEmpty)
    }
}
