import Chassis
import ChassisTesting
import Commerce
import Contracts
import HTTPTypes
import Testing

@testable import ChassisEvents
@testable import OrderService

@Suite struct RepeatedEventTests {
    @Test("an event said twice takes effect once")
    func twice() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.capture(id)
            try await shop.capture(id)
            try await shop.refund(id, 500, of: 99_900)
            try await shop.refund(id, 500, of: 99_900)
            try await shop.refund(id, 99_900, of: 99_900)
            try await shop.refund(id, 99_900, of: 99_900)
            let second = try await shop.order()
            try await shop.capture(second)
            // The feed is in order: when the second order is paid, all about the first has been heard.
            try await shop.reaches("paid", second)
            let order = try await shop.client.get("/api/orders/\(id)", as: .user(1)).json
            #expect(order["timeline"].array.map { $0["status"] } == ["pending", "paid", "paid", "refunded"])
            #expect(try await shop.said(OrderPaid.self).count == 2)
            #expect(try await shop.said(OrderRefunded.self).count == 1)
            #expect(try await shop.client.get("/internal/dead-letters", as: .service(.gateway)).json.count == 0)
        }
    }

    @Test("a feed that gives the same batch again and again, in any order, applies it once")
    func sameBatch() async throws {
        try await TestShop.open(payments: { $0.stuttering }) { shop in
            let first = try await shop.order()
            let second = try await shop.order()
            try await shop.capture(first)
            try await shop.capture(second)
            try await shop.reaches("paid", second)
            #expect(try await shop.client.post("/api/orders/\(first)/ship", as: .administrator).status == .ok)
            try await shop.refund(second, 99_900, of: 99_900)
            try await shop.reaches("refunded", second)
            #expect(try await shop.status(of: first) == "shipped")
            #expect(try await shop.said(OrderPaid.self).count == 2)
            #expect(try await shop.client.get("/internal/dead-letters", as: .service(.gateway)).json.count == 0)
        }
    }
}

extension EventSource {
    /// The same events, with every batch repeating all that came before, in any order.
    fileprivate var stuttering: EventSource {
        EventSource { after, limit, wait in
            let news = try await self.read(after, limit, wait)
            return (news + (try await self.read(0, limit, .zero))).shuffled()
        }
    }
}
