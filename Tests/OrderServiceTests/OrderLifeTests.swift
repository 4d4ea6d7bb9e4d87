import Chassis
import ChassisTesting
import Commerce
import Contracts
import HTTPTypes
import Testing

@testable import OrderService

@Suite struct OrderLifeTests {
    @Test("a captured payment makes the order paid; it is shipped, delivered and refunded, and says so each time")
    func wholeLife() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.capture(id)
            try await shop.reaches("paid", id)
            for (action, status) in [("ship", "shipped"), ("deliver", "delivered")] {
                let reply = try await shop.client.post("/api/orders/\(id)/\(action)", as: .administrator)
                #expect(reply.status == .ok && reply.json["status"].string == status)
                let repeated = try await shop.client.post("/api/orders/\(id)/\(action)", as: .administrator)
                #expect(repeated.status == .ok && repeated.json["timeline"].count == reply.json["timeline"].count)
            }
            try await shop.refund(id, 99_900, of: 99_900)
            try await shop.reaches("refunded", id)
            let order = try await shop.client.get("/api/orders/\(id)", as: .user(1)).json
            #expect(order["timeline"].array.compactMap { $0["status"].string } == ["pending", "paid", "shipped", "delivered", "refunded"])
            #expect(order["payment"]["status"] == "refunded" && order["payment"]["refunded"] == 999)
            #expect(try await shop.said(OrderPaid.self).count == 1)
            #expect(try await shop.said(OrderShipped.self).count == 1)
            #expect(try await shop.said(OrderDelivered.self).count == 1)
            #expect(try await shop.said(OrderRefunded.self).map { $0["previousStatus"] } == ["delivered"])
        }
    }

    @Test("nothing leaves the shop whose pieces are gone, or of which product-service says nothing")
    func shipping() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.capture(id)
            try await shop.reaches("paid", id)
            for trouble in [ProductsError.unavailable, .timedOut, .overloaded, .malformed] {
                shop.stock.failNext(trouble)
                let reply = try await shop.client.post("/api/orders/\(id)/ship", as: .administrator)
                #expect(reply.status == .serviceUnavailable && reply.headers[.retryAfter] == "1", "\(reply.text)")
            }
            shop.stock.endAllLeases()
            let reply = try await shop.client.post("/api/orders/\(id)/ship", as: .administrator)
            #expect(reply.status == .conflict && reply.json["type"] == "urn:souk:problem:order-out-of-stock", "\(reply.text)")
            #expect(try await shop.status(of: id) == "paid")
            #expect(try await shop.said(OrderShipped.self).isEmpty)
        }
    }

    @Test("a refused payment cancels the order with the provider's reason")
    func refused() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.payments.say(
                PaymentFailed(paymentID: try #require(PaymentID(rawValue: id)), orderID: try shop.id(id), reason: "The card was declined"))
            try await shop.reaches("cancelled", id)
            let order = try await shop.client.get("/api/orders/\(id)", as: .user(1)).json
            #expect(order["payment"]["status"] == "failed" && order["payment"]["failureReason"] == "The card was declined")
            #expect(order["timeline"][1]["reason"] == "The card was declined")
            let said = try await shop.said(OrderCancelled.self)
            #expect(said.count == 1 && said[0]["reason"] == "payment-failed" && said[0]["previousStatus"] == "pending")
        }
    }

    @Test("a capture that comes after the cancellation is written down, and the order stays cancelled")
    func lateCapture() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.cancel(id)
            try await shop.capture(id)
            try await shop.refund(id, 99_900, of: 99_900)
            try await eventually("the refund is known") {
                try await shop.client.get("/api/orders/\(id)", as: .user(1)).json["payment"]["status"] == "refunded"
            }
            let order = try await shop.client.get("/api/orders/\(id)", as: .user(1)).json
            #expect(order["status"] == "cancelled")
            #expect(order["timeline"].array.map { $0["status"] } == ["pending", "cancelled", "cancelled", "cancelled"])
            #expect(try await shop.said(OrderPaid.self).isEmpty)
            #expect(try await shop.said(OrderCancelled.self).count == 1)
            #expect(try await shop.said(OrderRefunded.self).isEmpty)
        }
    }

    @Test("an order whose reservation was lost is cancelled as out of stock")
    func lost() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.capture(id)
            try await shop.reaches("paid", id)
            let reservation = try #require(shop.stock.requests.first?.id)
            try await shop.products.say(
                ReservationLost(orderID: try shop.id(id), reservationID: reservation, productID: try #require(ProductID(rawValue: 1))))
            try await shop.reaches("cancelled", id)
            let said = try await shop.said(OrderCancelled.self)
            #expect(said.count == 1 && said[0]["reason"] == "out-of-stock" && said[0]["previousStatus"] == "paid")
            #expect(said[0]["reservationID"].string == reservation)
        }
    }

    @Test("an order can be cancelled until it is shipped; cancelling again is granted and changes nothing")
    func cancel() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            for _ in 0..<2 {
                let reply = try await shop.client.post("/api/orders/\(id)/cancel", as: .user(1))
                #expect(reply.status == .ok && reply.json["status"] == "cancelled" && reply.json["timeline"].count == 2)
                #expect(reply.json["payment"]["status"] == "voided")
            }
            #expect(try await shop.said(OrderCancelled.self).count == 1)

            let shipped = try await shop.order()
            try await shop.capture(shipped)
            try await shop.reaches("paid", shipped)
            #expect(try await shop.client.post("/api/orders/\(shipped)/deliver", as: .administrator).status == .conflict)
            #expect(try await shop.client.post("/api/orders/\(shipped)/ship", as: .administrator).status == .ok)
            let late = try await shop.client.post("/api/orders/\(shipped)/cancel", as: .user(1))
            #expect(late.status == .conflict && late.json["error"] == "An order that is shipped cannot be cancelled")
        }
    }

    @Test("50 cancellations at once are one cancellation")
    func cancelCrowd() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        let reply = try await shop.client.post("/api/orders/\(id)/cancel", as: .user(1))
                        #expect(reply.status == .ok)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await shop.said(OrderCancelled.self).count == 1)
        }
    }

    @Test("an event that contradicts the books is parked, visible, and does not hold up the next")
    func contradictions() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            // Nobody here knows order 999, and a cent too little is not the total.
            try await shop.capture(999)
            try await shop.capture(id, amount: 99_899)
            try await shop.capture(id)
            try await shop.reaches("paid", id)
            let letters = try await shop.client.get("/internal/dead-letters", as: .service(.gateway)).json
            #expect(letters.array.map { $0["type"] } == ["souk.payment.captured", "souk.payment.captured"])
        }
    }

    @Test("the personal data of an erased user goes, the order stays")
    func erased() async throws {
        try await TestShop.open { shop in
            let address: JSONValue = ["name": "Ada", "line1": "1 Main St", "city": "London", "postalCode": "N1", "country": "GB"]
            let reply = try await shop.place(["productId": 1, "quantity": 1, "shippingAddress": address])
            let id = try #require(reply.json["id"].integer)
            try await shop.users.say(UserErased(userID: try #require(UserID(rawValue: 1))))
            try await eventually("the address is gone") {
                try await shop.client.get("/api/orders/\(id)", as: .administrator).json["shippingAddress"] == .null
            }
            #expect(try await shop.status(of: id) == "pending")
        }
    }

    @Test("a token that outlives its account places no order, for itself or by an administrator; others order on")
    func erasedUserOrders() async throws {
        try await TestShop.open { shop in
            let address: JSONValue = ["name": "Ada", "line1": "1 Main St", "city": "London", "postalCode": "N1", "country": "GB"]
            let order: JSONValue = ["productId": 1, "quantity": 1, "shippingAddress": address]
            let earlier = try #require(try await shop.place(order).json["id"].integer)
            let free = shop.stock.available(1)
            try await shop.users.say(UserErased(userID: try #require(UserID(rawValue: 1))))
            try await eventually("the erasure is known") {
                try await shop.client.get("/api/orders/\(earlier)", as: .administrator).json["shippingAddress"] == .null
            }
            for caller in [TestCaller.user(1), .administrator] {
                let reply = try await shop.client.post(
                    "/api/orders",
                    ["userId": 1, "productId": 1, "quantity": 1, "shippingAddress": address], as: caller)
                #expect(reply.status == .notFound)
                #expect(reply.json["details"]["error"] == "User not found")
            }
            #expect(shop.stock.available(1) == free, "a refused order holds pieces")
            let orders = try await shop.client.get("/api/orders/user/1", as: .administrator).json.array
            #expect(orders.map { $0["id"].integer } == [earlier])
            #expect(try await shop.client.post("/api/orders", order, as: .user(2)).status == .created)
        }
    }

    @Test("lists go newest first in pages that neither repeat nor leave out, and by status")
    func pages() async throws {
        try await TestShop.open { shop in
            var ids: [Int64] = []
            for _ in 0..<7 { ids.append(try await shop.order()) }
            for id in ids.prefix(3) { try await shop.cancel(id) }
            var seen: [Int64] = []
            var target: String? = "/api/orders/user/1?limit=3"
            while let path = target {
                let reply = try await shop.client.get(path, as: .user(1))
                seen += reply.json.array.compactMap { $0["id"].integer }
                target = reply.headers[.link].flatMap { $0.firstMatch(of: /<([^>]+)>; rel="next"/).map { String($0.1) } }
            }
            #expect(seen == ids.reversed())
            let cancelled = try await shop.client.get("/api/orders?status=cancelled", as: .user(1)).json
            #expect(cancelled.array.compactMap { $0["id"].integer } == ids.prefix(3).reversed())
            let status = try await shop.client.get("/internal/status", as: .service(.gateway)).json
            #expect(status["ordersWaiting"] == 4)
        }
    }
}

extension TestShop {
    func id(_ id: Int64) throws -> OrderID { try #require(OrderID(rawValue: id)) }

    /// payment-service has captured the price of `order(1)`, or another amount.
    func capture(_ order: Int64, amount: Int64 = 99_900) async throws {
        try await payments.say(
            PaymentCaptured(
                paymentID: try #require(PaymentID(rawValue: order)), orderID: try id(order),
                amount: Money(minorUnits: amount, currency: .usd)))
    }

    func refund(_ order: Int64, _ amount: Int64, of captured: Int64) async throws {
        let money = Money(minorUnits: amount, currency: .usd)
        try await payments.say(
            PaymentRefunded(
                paymentID: try #require(PaymentID(rawValue: order)), orderID: try id(order), userID: try #require(UserID(rawValue: 1)),
                refundID: try #require(RefundID(rawValue: order)), amount: money, refundedInTotal: money,
                capturedInTotal: Money(minorUnits: captured, currency: .usd)))
    }
}
