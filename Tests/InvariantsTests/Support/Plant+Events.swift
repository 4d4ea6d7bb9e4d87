import ChassisStorage
import Contracts

extension Plant {
    static let events = [
        Plant("outbox-reaches-consumers", "a consumer stands beyond the end") { shop in
            try await shop.change(.payments, "UPDATE consumer_positions SET position = position + 1000")
            return "payment-service at order-service"
        },
        Plant("outbox-reaches-consumers", "events were trimmed before they were read", in: .busy) { shop in
            try await shop.forget(.products)
            return "order-service at product-service"
        },
        Plant("all-events-are-consumed", "a consumer stopped one event before the end") { shop in
            try await shop.change(.products, "UPDATE consumer_positions SET position = position - 1")
            return "product-service at order-service"
        },
        Plant("user-facts-are-announced-once", "an account is announced twice") { shop in
            try await shop.say(.users, UserRegistered.eventType, of: 1)
            return "user 1"
        },
        Plant("order-facts-are-announced-once", "an order is announced as paid twice") { shop in
            try await shop.say(.orders, OrderPaid.eventType, of: Sample.paid)
            return "order \(Sample.paid)"
        },
        Plant("order-facts-are-announced-once", "an order was placed without saying so", in: .busy) { shop in
            try await shop.change(.orders, "DELETE FROM outbox WHERE subject = \("\(Sample.unheard)")")
            return "order \(Sample.unheard)"
        },
        Plant("order-facts-are-announced-once", "an event is about an order that never was") { shop in
            try await shop.say(.orders, OrderPlaced.eventType, of: 999)
            return "order 999"
        },
        Plant("payment-facts-are-announced-once", "a capture is announced twice") { shop in
            try await shop.say(.payments, PaymentCaptured.eventType, of: Sample.paid)
            return "order \(Sample.paid)"
        },
        Plant("payment-facts-are-announced-once", "a capture is not announced", in: .busy) { shop in
            try await shop.change(.payments, "DELETE FROM outbox WHERE subject = \("\(Sample.captureUnheard)")")
            return "order \(Sample.captureUnheard)"
        },
        Plant("stock-facts-are-announced-once", "a lost reservation is not announced") { shop in
            // Only the latest event of an outbox can vanish without its consumer seeming ahead.
            try await shop.change(.products, "UPDATE outbox SET type = 'souk.stock.something-else'")
            return "order \(Sample.lost)"
        },
        Plant("payments-follow-orders", "an order's beginning was skipped", in: .busy) { shop in
            try await shop.skip(.payments, past: OrderPlaced.eventType, of: Sample.unheard, from: .orders)
        },
        Plant("stock-follows-orders", "an order's payment was skipped", in: .busy) { shop in
            try await shop.skip(.products, past: OrderPaid.eventType, of: Sample.unsold, from: .orders)
        },
        Plant("stock-follows-orders", "an order's cancellation was skipped", in: .busy) { shop in
            try await shop.skip(.products, past: OrderCancelled.eventType, of: Sample.toBeRefunded, from: .orders)
        },
        Plant("orders-follow-payments", "a capture was skipped", in: .busy) { shop in
            try await shop.skip(.orders, past: PaymentCaptured.eventType, of: Sample.captureUnheard, from: .payments)
        },
        Plant("orders-follow-payments", "a refund was skipped", in: .busy) { shop in
            try await shop.skip(.orders, past: PaymentRefunded.eventType, of: Sample.refundUnheard, from: .payments)
        },
        Plant("orders-follow-stock", "the loss of an order's pieces was skipped", in: .busy) { shop in
            try await shop.skip(.orders, past: ReservationLost.eventType, of: Sample.lossUnheard, from: .products)
        },
        Plant("contacts-follow-users", "a customer's address is missing") { shop in
            try await shop.change(.notifications, "DELETE FROM contacts WHERE user_id = 1")
            return "user-service/event-\(try await shop.sequence(.users, UserRegistered.eventType, of: 1))"
        },
        Plant("contacts-follow-users", "an erased customer is still known") { shop in
            try await shop.change(.notifications, "UPDATE contacts SET erased = 0 WHERE user_id = 3")
            return "user-service/event-\(try await shop.sequence(.users, UserErased.eventType, of: 3))"
        },
    ]

    static let messages = [
        Plant("messages-follow-users", "nobody was welcomed") { shop in
            try await shop.change(.notifications, "DELETE FROM notifications WHERE kind = 'welcome'")
            return "user-service/event-\(try await shop.sequence(.users, UserRegistered.eventType, of: 1))"
        },
        Plant("messages-follow-orders", "customers were not told that they have paid") { shop in
            try await shop.change(.notifications, "DELETE FROM notifications WHERE kind = 'order-paid'")
            return "order-service/event-\(try await shop.sequence(.orders, OrderPaid.eventType, of: Sample.paid))"
        },
        Plant("messages-follow-orders", "a customer was told of what never happened") { shop in
            try await shop.change(
                .notifications,
                """
                INSERT INTO notifications (cause, user_id, kind, model, status, created_at)
                VALUES ('nothing', 1, 'order-shipped', '{}', 'kept', 0)
                """)
            return "notification \(try await shop.number(.notifications, "SELECT MAX(id) FROM notifications"))"
        },
        Plant("messages-follow-payments", "customers were not told of their refunds") { shop in
            try await shop.change(.notifications, "DELETE FROM notifications WHERE kind = 'refund-issued'")
            return "payment-service/event-\(try await shop.sequence(.payments, PaymentRefunded.eventType, of: Sample.cancelled))"
        },
    ]
}
