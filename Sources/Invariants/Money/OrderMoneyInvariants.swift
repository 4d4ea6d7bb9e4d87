import ChassisStorage
import Contracts

// What orders know of their money, against the payments that it is about. What an order knows, payment-service has told; what a payment
// knows of its order, order-service has told. So each direction is a comparison of its own, effect first.

extension Invariant {
    static let orderTotalIsItsLines = Invariant(
        "order-total-is-its-lines", .money, .always, in: .orders, "An order has lines, and costs what they cost."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM orders")
        try transaction.each(
            """
            SELECT o.id, o.total, o.currency, CAST(l.total AS BIGINT) AS lines
            FROM orders o LEFT JOIN (
                SELECT order_id, SUM(unit_price * quantity) AS total FROM order_lines GROUP BY order_id
            ) AS l ON l.order_id = o.id
            WHERE l.total IS NULL OR l.total <> o.total ORDER BY o.id
            """
        ) { row in
            let (id, total, currency): (Int64, Int64, String) = (try row["id"], try row["total"], try row["currency"])
            let lines: Int64? = try row["lines"]
            finding.violation(
                "order \(id)", "costs \(amount(total, currency)), but its lines cost \(lines.map { amount($0, currency) } ?? "nothing")")
        }
    }

    // MARK: What orders know

    static let paidOrdersAreCaptured = Invariant(
        "paid-orders-are-captured", .money, .always, reading: [.orders, .payments],
        "What an order knows of its payment is so: captured whole where it is paid, given back where it says so, refused where it says so."
    ) { books in
        var finding = Finding()
        let pages = KeyedPages(
            start: 0 as Int64, effects: { after, limit in try await books.read(.orders) { try KnownMoney.page(after, limit, in: $0) } },
            causes: { after, through in try await books.read(.payments) { try KnownPayment.range(after, through, in: $0) } })
        try await pages.compare { id, order, payment in
            finding.examined += 1
            if let problem = order.mistake ?? order.contradiction(to: payment) { finding.violation("order \(id)", problem) }
        }
        return finding
    }

    // MARK: What payments know

    static let paymentsBelongToOrders = Invariant(
        "payments-belong-to-orders", .money, .always, reading: [.payments, .orders],
        "Every payment is that of an order, with its total, customer and method; and one that knows its order is cancelled is right."
    ) { books in
        var finding = Finding()
        let pages = KeyedPages(
            start: 0 as Int64, effects: { after, limit in try await books.read(.payments) { try KnownPayment.page(after, limit, in: $0) } },
            causes: { after, through in try await books.read(.orders) { try KnownMoney.range(after, through, in: $0) } })
        try await pages.compare { id, payment, order in
            finding.examined += 1
            guard let order else { return finding.violation("payment \(payment.id)", "is for order \(id), which does not exist") }
            if payment.terms != order.terms {
                finding.violation("payment \(payment.id)", "is \(payment.terms); order \(id) is \(order.terms)")
            }
            if payment.orderCancelled, order.status != "cancelled" {
                finding.violation("payment \(payment.id)", "takes order \(id) for cancelled, which is \(order.status)")
            }
        }
        return finding
    }

    // MARK: When all is done

    static let ordersKnowTheirPayments = Invariant(
        "orders-know-their-payments", .money, .settled, reading: [.orders, .payments, .products],
        "Every order has a payment, and knows what was captured, given back, charged back or refused."
    ) { books in
        try await comparingSettled(books) { order, payment in
            guard let payment else { return "has no payment" }
            if order.captured != payment.captured || order.refunded != payment.refunded {
                return "knows of \(order.captured) captured and \(order.refunded) refunded; payment \(payment.id) has \(payment.captured) "
                    + "and \(payment.refunded)"
            }
            if order.chargedBack != payment.chargedBack || order.chargebackReversed != payment.chargebackReversed {
                return "knows of \(order.chargedBack) charged back and \(order.chargebackReversed) reversed; payment \(payment.id) has "
                    + "\(payment.chargedBack) and \(payment.chargebackReversed)"
            }
            guard payment.status == "failed", order.failure == nil, order.status != "cancelled" else { return nil }
            return "is \(order.status) and does not know that payment \(payment.id) failed"
        }
    }

    static let cancelledOrdersKeepNoMoney = Invariant(
        "cancelled-orders-keep-no-money", .money, .settled, reading: [.orders, .payments, .products],
        "Of an order that is cancelled or refunded the shop keeps nothing."
    ) { books in
        try await comparingSettled(books) { order, payment in
            guard let payment, order.status == "cancelled" || order.status == "refunded" else { return nil }
            let kept = payment.kept
            return kept == 0 && payment.status != "pending"
                ? nil
                : "is \(order.status), but payment \(payment.id) is \(payment.status) and keeps \(amount(kept, payment.terms.currency))"
        }
    }

    /// Holds every order that waits for nobody against its payment.
    private static func comparingSettled(
        _ books: Books, _ mistake: @Sendable (KnownMoney, KnownPayment?) -> String?
    ) async throws -> Finding {
        var finding = Finding()
        let waiting = try await WaitingOrders(in: books)
        let pages = KeyedPages(
            start: 0 as Int64,
            effects: { after, limit in try await books.read(.orders) { try KnownMoney.page(after, limit, all: true, in: $0) } },
            causes: { after, through in try await books.read(.payments) { try KnownPayment.range(after, through, in: $0) } })
        try await pages.compare { id, order, payment in
            finding.examined += 1
            guard !waiting.contains(id), let problem = mistake(order, payment) else { return }
            finding.violation("order \(id)", problem)
        }
        return finding
    }
}
