import Commerce
import Testing

@testable import ProductService

@Suite("Leases under a clock that is set back")
struct LeaseClockTests {
    @Test("a lease lasts at most as long again, whatever the clock showed when it began", arguments: [3_600, 86_400, 365 * 86_400])
    func setBack(seconds: Int) async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        shop.clock.advance(by: .seconds(-seconds))
        #expect(try await shop.reservations.expireLeases(atMost: 10) == 0)
        shop.clock.advance(by: .seconds(59))
        #expect(try await shop.reservations.expireLeases(atMost: 10) == 0)
        #expect(try await shop.products.product(lamp.id).available == 3)
        shop.clock.advance(by: .seconds(1))
        #expect(try await shop.reservations.expireLeases(atMost: 10) == 1)
        #expect(try await shop.products.product(lamp.id).available == 5)
    }

    @Test("set forward, leases end early, and the paid order still gets its pieces")
    func setForward() async throws {
        let shop = try await TestShop(lease: .seconds(60))
        let lamp = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(lamp.id, 2)])
        shop.clock.advance(by: .seconds(86_400))
        #expect(try await shop.reservations.expireLeases(atMost: 10) == 1)
        try await shop.apply(.orderPaid(order(1)), to: "r")
        #expect(try await shop.state(of: "r") == .committed)
        #expect(try await shop.products.product(lamp.id).available == 3)
    }
}
