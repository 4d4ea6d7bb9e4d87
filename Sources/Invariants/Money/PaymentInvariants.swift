import ChassisStorage
import Contracts

// Payments and refunds, in payment-service's own database.

extension Invariant {
    static let captureWithinAmount = Invariant(
        "capture-within-amount", .money, .always, in: .payments,
        "A payment is captured whole or not at all, no more goes back than was captured, and its status says which."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM payments")
        try transaction.each(
            """
            SELECT id, status, amount, captured, refunded, refund_pending, charged_back - chargeback_reversed AS lost FROM payments
            WHERE captured NOT IN (0, amount) OR refunded < 0 OR refund_pending < 0 OR refunded + refund_pending > captured
                OR charged_back < chargeback_reversed OR refunded + charged_back - chargeback_reversed > captured
                OR NOT CASE status
                    WHEN 'captured' THEN captured = amount AND refunded = 0
                    WHEN 'partially-refunded' THEN captured = amount AND refunded > 0 AND refunded < captured
                    WHEN 'refunded' THEN captured = amount AND refunded = captured
                    ELSE captured = 0
                END
            ORDER BY id
            """
        ) { row in
            let (id, status): (Int64, String) = (try row["id"], try row["status"])
            let (total, captured): (Int64, Int64) = (try row["amount"], try row["captured"])
            let (refunded, pending): (Int64, Int64) = (try row["refunded"], try row["refund_pending"])
            let lost: Int64 = try row["lost"]
            finding.violation(
                "payment \(id)",
                "of \(total) is \(status) with \(captured) captured, \(refunded) refunded, \(pending) on the way back and "
                    + "\(lost) charged back")
        }
    }

    static let oneCapturePerOrder = Invariant(
        "one-capture-per-order", .money, .always, in: .payments, "An order has one payment, and is captured at most once."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(DISTINCT order_id) FROM payments")
        try transaction.each(
            """
            SELECT order_id, COUNT(*) AS payments, CAST(SUM(CASE WHEN captured > 0 THEN 1 ELSE 0 END) AS BIGINT) AS captures
            FROM payments GROUP BY order_id HAVING COUNT(*) > 1 ORDER BY order_id
            """
        ) { row in
            let (order, payments, captures): (Int64, Int64, Int64) = (try row["order_id"], try row["payments"], try row["captures"])
            finding.violation("order \(order)", "has \(payments) payments, of which \(captures) are captured")
        }
        try transaction.each(
            """
            SELECT p.order_id, COUNT(*) AS captures FROM ledger_transfers t JOIN payments p ON p.id = t.payment_id
            WHERE t.key LIKE 'capture-%' GROUP BY p.id, p.order_id HAVING COUNT(*) > 1 ORDER BY p.order_id
            """
        ) { row in
            let (order, captures): (Int64, Int64) = (try row["order_id"], try row["captures"])
            finding.violation("order \(order)", "has \(captures) captures in the ledger")
        }
    }

    static let refundsAddUp = Invariant(
        "refunds-add-up", .money, .always, in: .payments,
        "A payment's refunds that are done add up to what it has given back, and those that are not to what it has set aside."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM refunds")
        try transaction.each(
            """
            SELECT p.id, p.currency, p.refunded, p.refund_pending, CAST(COALESCE(r.done, 0) AS BIGINT) AS done,
                CAST(COALESCE(r.open, 0) AS BIGINT) AS open, CAST(COALESCE(r.strange, 0) AS BIGINT) AS strange
            FROM payments p LEFT JOIN (
                SELECT r.payment_id, SUM(CASE WHEN r.status = 'succeeded' THEN r.amount ELSE 0 END) AS done,
                    SUM(CASE WHEN r.status = 'pending' THEN r.amount ELSE 0 END) AS open,
                    SUM(CASE WHEN r.currency <> q.currency THEN 1 ELSE 0 END) AS strange
                FROM refunds r JOIN payments q ON q.id = r.payment_id GROUP BY r.payment_id
            ) AS r ON r.payment_id = p.id
            WHERE p.refunded <> COALESCE(r.done, 0) OR p.refund_pending <> COALESCE(r.open, 0) OR COALESCE(r.strange, 0) > 0
            ORDER BY p.id
            """
        ) { row in
            let (id, currency, strange): (Int64, String, Int64) = (try row["id"], try row["currency"], try row["strange"])
            let (refunded, done): (Int64, Int64) = (try row["refunded"], try row["done"])
            let (pending, open): (Int64, Int64) = (try row["refund_pending"], try row["open"])
            finding.violation(
                "payment \(id)",
                "says \(amount(refunded, currency)) refunded and \(amount(pending, currency)) on the way; its refunds say "
                    + "\(amount(done, currency)) and \(amount(open, currency))" + (strange > 0 ? ", \(strange) in another currency" : ""))
        }
    }

    static let cancelledIsRefundedOrNeverCaptured = Invariant(
        "cancelled-is-refunded-or-never-captured", .money, .always, in: .payments,
        "From the moment that a payment knows its order is cancelled, all that was captured is refunded, on its way back, or charged back."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM payments WHERE order_cancelled = 1")
        try transaction.each(
            """
            SELECT id, order_id, currency, captured, refunded, refund_pending FROM payments
            WHERE order_cancelled = 1 AND refunded + refund_pending + charged_back - chargeback_reversed < captured ORDER BY id
            """
        ) { row in
            let (order, currency): (Int64, String) = (try row["order_id"], try row["currency"])
            let (captured, refunded, pending): (Int64, Int64, Int64) = (
                try row["captured"], try row["refunded"], try row["refund_pending"]
            )
            finding.violation(
                "order \(order)",
                "is cancelled; of \(amount(captured, currency)) captured, \(amount(refunded, currency)) went back and "
                    + "\(amount(pending, currency)) is on its way")
        }
    }
}
