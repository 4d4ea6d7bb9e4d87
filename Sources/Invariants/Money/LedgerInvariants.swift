import ChassisStorage
import Contracts

// The ledger against the payments. A transfer says it twice: by its accounts and by its key. Each is held against the payments alone.

extension Invariant {
    static let ledgerSumsToZero = Invariant(
        "ledger-sums-to-zero", .money, .always, in: .payments,
        "In each currency the accounts sum to zero, and the provider holds what was captured and neither given nor taken back."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM ledger_transfers")
        try transaction.each(
            """
            SELECT * FROM (
                SELECT currency, CAST(SUM(provider) AS BIGINT) AS provider, CAST(SUM(sales) AS BIGINT) AS sales,
                    CAST(SUM(chargebacks) AS BIGINT) AS chargebacks, CAST(SUM(strange) AS BIGINT) AS strange,
                    CAST(SUM(kept) AS BIGINT) AS kept
                FROM (
                    SELECT currency,
                        CASE WHEN debit_account = 'provider' THEN amount ELSE 0 END
                            - CASE WHEN credit_account = 'provider' THEN amount ELSE 0 END AS provider,
                        CASE WHEN debit_account = 'sales' THEN amount ELSE 0 END
                            - CASE WHEN credit_account = 'sales' THEN amount ELSE 0 END AS sales,
                        CASE WHEN debit_account = 'chargebacks' THEN amount ELSE 0 END
                            - CASE WHEN credit_account = 'chargebacks' THEN amount ELSE 0 END AS chargebacks,
                        CASE WHEN debit_account IN ('provider', 'sales', 'chargebacks')
                            AND credit_account IN ('provider', 'sales', 'chargebacks') THEN 0 ELSE 1 END AS strange,
                        0 AS kept
                    FROM ledger_transfers
                    UNION ALL SELECT currency, 0, 0, 0, 0, captured - refunded - charged_back + chargeback_reversed FROM payments
                ) AS entries GROUP BY currency
            ) AS sums
            WHERE provider + sales + chargebacks <> 0 OR provider <> kept OR strange > 0 ORDER BY currency
            """
        ) { row in
            let (currency, strange): (String, Int64) = (try row["currency"], try row["strange"])
            let (provider, sales, kept): (Int64, Int64, Int64) = (try row["provider"], try row["sales"], try row["kept"])
            let chargebacks: Int64 = try row["chargebacks"]
            finding.violation(
                currency,
                "has \(amount(provider, currency)) with the provider, \(amount(sales, currency)) of sales and "
                    + "\(amount(chargebacks, currency)) of chargebacks; payments kept "
                    + "\(amount(kept, currency))" + (strange > 0 ? "; \(strange) transfers are on unknown accounts" : ""))
        }
    }

    static let ledgerMatchesPayments = Invariant(
        "ledger-matches-payments", .money, .always, in: .payments,
        "Each capture, each refund that is done, each chargeback and each reversal is booked once, with its amount, and nothing else is."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM payments")
        try captures(transaction, &finding)
        try refunds(transaction, &finding)
        try chargebacks(transaction, &finding)
        try others(transaction, &finding)
    }

    private static func captures(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT p.id, p.currency, p.captured, t.amount, t.currency AS booked_currency
            FROM payments p LEFT JOIN ledger_transfers t ON t.key = 'capture-' || CAST(p.id AS TEXT)
            WHERE p.captured <> COALESCE(t.amount, 0) OR t.currency <> p.currency OR t.payment_id <> p.id ORDER BY p.id
            """
        ) { row in
            let (id, captured, currency): (Int64, Int64, String) = (try row["id"], try row["captured"], try row["currency"])
            let (booked, bookedCurrency): (Int64?, String?) = (try row["amount"], try row["booked_currency"])
            finding.violation(
                "payment \(id)",
                "has captured \(amount(captured, currency)); booked is "
                    + (booked.map { amount($0, bookedCurrency ?? currency) } ?? "nothing"))
        }
    }

    private static func refunds(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT r.id, r.status, r.currency, r.amount, t.amount AS booked
            FROM refunds r LEFT JOIN ledger_transfers t ON t.key = 'refund-' || CAST(r.id AS TEXT)
            WHERE CASE WHEN r.status = 'succeeded' THEN r.amount ELSE 0 END <> COALESCE(t.amount, 0)
                OR t.currency <> r.currency OR t.payment_id <> r.payment_id ORDER BY r.id
            """
        ) { row in
            let (id, status, currency): (Int64, String, String) = (try row["id"], try row["status"], try row["currency"])
            let (given, booked): (Int64, Int64?) = (try row["amount"], try row["booked"])
            finding.violation(
                "refund \(id)",
                "of \(amount(given, currency)) is \(status); booked is \(booked.map { amount($0, currency) } ?? "nothing")")
        }
    }

    /// A chargeback is booked once, and once more the other way round when it was reversed.
    private static func chargebacks(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT c.id, c.amount, c.currency, c.reversed, t.amount AS taken, u.amount AS given
            FROM chargebacks c
            LEFT JOIN ledger_transfers t ON t.key = 'chargeback-' || CAST(c.id AS TEXT) AND t.payment_id = c.payment_id
                AND t.currency = c.currency AND t.debit_account = 'chargebacks' AND t.credit_account = 'provider'
            LEFT JOIN ledger_transfers u ON u.key = 'reversal-' || CAST(c.id AS TEXT) AND u.payment_id = c.payment_id
                AND u.currency = c.currency AND u.debit_account = 'provider' AND u.credit_account = 'chargebacks'
            WHERE COALESCE(t.amount, 0) <> c.amount OR COALESCE(u.amount, 0) <> CASE c.reversed WHEN 1 THEN c.amount ELSE 0 END ORDER BY c.id
            """
        ) { row in
            let (id, taken, currency): (Int64, Int64, String) = (try row["id"], try row["amount"], try row["currency"])
            let (booked, given): (Int64?, Int64?) = (try row["taken"], try row["given"])
            let isReversed: Bool = try row["reversed"]
            finding.violation(
                "chargeback \(id)",
                "of \(amount(taken, currency)) is \(isReversed ? "" : "not ")reversed; booked is "
                    + "\(booked.map { amount($0, currency) } ?? "nothing") and back \(given.map { amount($0, currency) } ?? "nothing")")
        }
    }

    /// With what has its booking out of the way, a payment that has more of them has one too many.
    private static func others(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT * FROM (
                SELECT p.id, COALESCE(t.bookings, 0) AS bookings,
                    CASE WHEN p.captured > 0 THEN 1 ELSE 0 END + COALESCE(r.refunds, 0) + COALESCE(c.moves, 0) AS due
                FROM payments p
                LEFT JOIN (SELECT payment_id, COUNT(*) AS bookings FROM ledger_transfers GROUP BY payment_id) AS t ON t.payment_id = p.id
                LEFT JOIN (
                    SELECT payment_id, COUNT(*) AS refunds FROM refunds WHERE status = 'succeeded' GROUP BY payment_id
                ) AS r ON r.payment_id = p.id
                LEFT JOIN (
                    SELECT payment_id, COUNT(*) + CAST(SUM(reversed) AS BIGINT) AS moves FROM chargebacks GROUP BY payment_id
                ) AS c ON c.payment_id = p.id
            ) AS counts WHERE bookings > due ORDER BY id
            """
        ) { row in
            let (id, bookings, due): (Int64, Int64, Int64) = (try row["id"], try row["bookings"], try row["due"])
            finding.violation("payment \(id)", "has \(bookings) bookings where \(due) are due")
        }
    }
}
