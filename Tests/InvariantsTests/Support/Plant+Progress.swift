import ChassisStorage
import Contracts

extension Plant {
    static let progress = [
        Plant("order-history-is-lawful", "a history has an entry too few") { shop in
            try await shop.change(.orders, "UPDATE orders SET timeline_length = timeline_length + 1 WHERE id = \(Sample.paid)")
            return "order \(Sample.paid)"
        },
        Plant("order-history-is-lawful", "an order was shipped before it was paid") { shop in
            try await shop.change(
                .orders,
                """
                UPDATE order_timeline SET status = CASE sequence WHEN 2 THEN 'shipped' ELSE 'paid' END
                WHERE order_id = \(Sample.delivered) AND sequence IN (2, 3)
                """)
            return "order \(Sample.delivered)"
        },
        Plant("open-payments-have-jobs", "the job of a payment is gone", in: .busy) { shop in
            try await shop.change(.payments, "DELETE FROM jobs WHERE kind = 'charge-payment'")
            return "payment \(Sample.toBeCharged)"
        },
        Plant("queued-messages-have-jobs", "the job of a message is gone") { shop in
            try await shop.change(
                .notifications,
                """
                INSERT INTO notifications (cause, user_id, kind, model, status, created_at)
                VALUES ('message-1', 1, 'reset-password', '{}', 'queued', 0)
                """)
            return "notification \(try await shop.number(.notifications, "SELECT MAX(id) FROM notifications"))"
        },
        Plant("all-work-is-done", "a job waits") { shop in try await shop.addJob(.users, "send-message", key: "1") },
        Plant("jobs-are-alive", "a recurring job was leased and never given back") { shop in
            try await shop.addJob(.products, "every:end expired reservations", key: "", state: "leased")
        },
        Plant("every-order-ends", "an order is pending, and nobody knows of it any more") { shop in
            let id = Sample.declined
            try await shop.forget(.orders)
            try await shop.forget(.payments)
            try await shop.change(
                .orders,
                "UPDATE orders SET status = 'pending', payment_id = NULL, payment_failure = NULL, timeline_length = 1 WHERE id = \(id)",
                "DELETE FROM order_timeline WHERE order_id = \(id) AND sequence > 1")
            try await shop.change(
                .payments, "UPDATE payments SET status = 'voided', failure_reason = NULL, order_cancelled = 0 WHERE id = \(id)")
            try await shop.change(.products, "UPDATE reservations SET state = 'expired', order_id = NULL WHERE order_id = \(id)")
            return "order \(id)"
        },
        Plant("nothing-is-dead", "a message could not be sent") { shop in
            try await shop.addJob(.notifications, "send-notification", key: "1", state: "dead")
        },
        Plant("nothing-is-dead", "an event could not be applied") { shop in
            try await shop.change(
                .orders,
                """
                INSERT INTO dead_events (source, sequence, event_id, type, subject, time, data, error, attempts, since)
                VALUES ('payment-service', 900, 'planted', 'souk.payment.captured', '1', 0, '{}', 'planted', 5, 0)
                """)
            return "order-service/event-\(try await shop.number(.orders, "SELECT MAX(number) FROM dead_events"))"
        },
    ]
}
