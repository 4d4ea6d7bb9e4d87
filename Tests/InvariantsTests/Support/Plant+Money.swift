import ChassisStorage
import Contracts

extension Plant {
    static let money = [
        Plant("order-total-is-its-lines", "a line's price changed after the order was placed") { shop in
            try await shop.change(
                .orders, "UPDATE order_lines SET unit_price = unit_price + 1 WHERE order_id = \(Sample.paid) AND product_id = 1")
            try await shop.change(
                .products,
                """
                UPDATE reservation_lines SET unit_price = unit_price + 1
                WHERE reservation = (SELECT number FROM reservations WHERE order_id = \(Sample.paid)) AND product_id = 1
                """)
            return "order \(Sample.paid)"
        },
        Plant("capture-within-amount", "a payment says that some went back when none did") { shop in
            try await shop.change(.payments, "UPDATE payments SET status = 'partially-refunded' WHERE id = \(Sample.paid)")
            return "payment \(Sample.paid)"
        },
        Plant("one-capture-per-order", "an order is charged twice", secondPayment),
        Plant("ledger-sums-to-zero", "a capture is booked on an account that nobody knows") { shop in
            try await shop.change(.payments, "UPDATE ledger_transfers SET credit_account = 'petty cash' WHERE key = 'capture-1'")
            return "USD"
        },
        Plant("ledger-matches-payments", "two captures are booked with each other's amounts") { shop in
            try await shop.change(
                .payments,
                """
                UPDATE ledger_transfers SET amount = CASE key
                    WHEN 'capture-1' THEN (SELECT captured FROM payments WHERE id = 3)
                    ELSE (SELECT captured FROM payments WHERE id = 1)
                END WHERE key IN ('capture-1', 'capture-3')
                """)
            return "payment 1"
        },
        Plant("refunds-add-up", "a refund is on its way for which nothing was set aside") { shop in
            try await shop.change(
                .payments,
                """
                INSERT INTO refunds (payment_id, amount, currency, reason, status, created_at)
                VALUES (\(Sample.paid), 100, 'USD', 'planted', 'pending', 0)
                """)
            let refund = try await shop.number(.payments, "SELECT MAX(id) FROM refunds")
            _ = try await shop.addJob(.payments, "refund-capture", key: "\(refund)")
            return "payment \(Sample.paid)"
        },
        Plant("charged-is-captured", "the provider was asked for a second charge under another key") { shop in
            try await shop.change(
                .payments,
                "INSERT INTO sandbox_charges (key, amount, currency, calls, charged) VALUES ('payment-1-again', 4500, 'USD', 1, 1)")
            return "charge payment-1-again"
        },
        Plant("charged-is-captured", "a refund is done that the provider never gave") { shop in
            try await shop.change(.payments, "DELETE FROM sandbox_refunds WHERE key = 'refund-1'")
            return "refund 1"
        },
        Plant("chargebacks-add-up", "a payment says that a bank took something and gave it back, and none did") { shop in
            try await shop.change(
                .payments, "UPDATE payments SET charged_back = 1, chargeback_reversed = 1 WHERE id = \(Sample.paid)")
            return "payment \(Sample.paid)"
        },
        Plant("chargebacks-are-the-banks", "a chargeback is of another amount than the bank took") { shop in
            try await shop.change(
                .payments, "UPDATE sandbox_chargebacks SET amount = amount - 1 WHERE charge_key = \("payment-\(Sample.chargedBack)")")
            return "chargeback 1"
        },
        Plant("chargebacks-are-heard", "a bank has taken something of which nobody here knows") { shop in
            try await shop.change(
                .payments,
                """
                INSERT INTO sandbox_chargebacks (key, charge_key, amount, currency, reversed)
                VALUES ('chargeback-payment-1', 'payment-1', 1, 'USD', 0)
                """)
            return "chargeback-payment-1"
        },
        Plant("paid-orders-are-captured", "an order takes another payment for its own") { shop in
            try await shop.change(.orders, "UPDATE orders SET payment_id = 999 WHERE id = \(Sample.paid)")
            return "order \(Sample.paid)"
        },
        Plant("payments-belong-to-orders", "a payment is somebody else's") { shop in
            try await shop.change(.payments, "UPDATE payments SET user_id = 99 WHERE order_id = \(Sample.paid)")
            return "payment \(Sample.paid)"
        },
        Plant("cancelled-is-refunded-or-never-captured", "a cancelled order is captured and nothing goes back") { shop in
            try await shop.captureVoided()
            try await shop.say(.payments, PaymentCaptured.eventType, of: Sample.voided)
            return "order \(Sample.voided)"
        },
        Plant("orders-know-their-payments", "an order never heard of a refund") { shop in
            try await shop.forget(.payments)
            try await shop.change(.orders, "UPDATE orders SET refunded = 0 WHERE id = \(Sample.refundedInPart)")
            return "order \(Sample.refundedInPart)"
        },
        Plant("cancelled-orders-keep-no-money", "the payment of a cancelled order never heard of it") { shop in
            try await shop.forget(.orders)
            try await shop.forget(.payments)
            try await shop.captureVoided()
            try await shop.change(.payments, "UPDATE payments SET order_cancelled = 0 WHERE order_id = \(Sample.voided)")
            try await shop.change(.orders, "UPDATE orders SET captured = total, payment_id = \(Sample.voided) WHERE id = \(Sample.voided)")
            return "order \(Sample.voided)"
        },
        Plant("one-effect-per-key", "two keys are answered with one order") { shop in
            try await shop.change(
                .orders,
                """
                INSERT INTO idempotency_keys (scope, key, fingerprint, status, headers, body, created_at)
                SELECT scope, 'another key', fingerprint, status, headers, body, created_at FROM idempotency_keys WHERE key = 'paid'
                """)
            return "order \(Sample.paid)"
        },
        Plant("answers-are-kept", "a client was told of an order that is not there") { shop in
            try await shop.change(
                .orders,
                """
                INSERT INTO idempotency_keys (scope, key, fingerprint, status, headers, body, created_at)
                VALUES ('orders of 1', 'vanished', \([UInt8]()), 201, '{}', \(Array(#"{"id":999}"#.utf8)), 0)
                """)
            return "order 999"
        },
    ]

    /// The schema forbids it; so the table is first put in the place of one that does not.
    @Sendable private static func secondPayment(_ shop: SmallShop) async throws -> String {
        let columns: SQL = """
            user_id, amount, currency, method, status, captured, refunded, refund_pending, charged_back, chargeback_reversed, attempts,
            order_cancelled, provider_reference, created_at
            """
        try await shop.change(
            .payments, "DROP INDEX payments_by_reference", "ALTER TABLE payments RENAME TO strict_payments",
            "CREATE TABLE payments AS SELECT * FROM strict_payments",
            "INSERT INTO strict_payments (id, order_id, \(columns)) SELECT 900, 900, \(columns) FROM strict_payments WHERE id = 1",
            "INSERT INTO payments (id, order_id, \(columns)) SELECT 900, 1, \(columns) FROM payments WHERE id = 1",
            """
            INSERT INTO ledger_transfers (key, payment_id, debit_account, credit_account, amount, currency, created_at)
            SELECT 'capture-900', 900, debit_account, credit_account, amount, currency, created_at FROM ledger_transfers
            WHERE key = 'capture-1'
            """,
            """
            INSERT INTO sandbox_charges (key, amount, currency, calls, charged)
            SELECT 'payment-900', amount, currency, calls, charged FROM sandbox_charges WHERE key = 'payment-1'
            """)
        try await shop.say(.payments, PaymentCaptured.eventType, of: 1)
        return "order 1"
    }
}

extension SmallShop {
    /// Makes the payment that was voided one that is captured, in all of payment-service's books.
    fileprivate func captureVoided() async throws {
        let id = Sample.voided
        try await change(
            .payments,
            """
            UPDATE payments SET status = 'captured', captured = amount, provider_reference = 'sandbox_payment-' || CAST(id AS TEXT)
            WHERE id = \(id)
            """,
            """
            INSERT INTO ledger_transfers (key, payment_id, debit_account, credit_account, amount, currency, created_at)
            SELECT 'capture-' || CAST(id AS TEXT), id, 'provider', 'sales', amount, currency, 0 FROM payments WHERE id = \(id)
            """,
            """
            INSERT INTO sandbox_charges (key, amount, currency, calls, charged)
            SELECT 'payment-' || CAST(id AS TEXT), amount, currency, 1, 1 FROM payments WHERE id = \(id)
            """)
    }
}
