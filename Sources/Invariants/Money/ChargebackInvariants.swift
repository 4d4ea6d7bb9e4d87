import ChassisStorage
import Contracts

// Chargebacks, against the payments that they are of, and against the sandbox company's own book, which is the truth about what banks have taken.
// The book is written first, and its notice may still be on its way; never the other way round.

extension Invariant {
    static let chargebacksAddUp = Invariant(
        "chargebacks-add-up", .money, .always, in: .payments,
        "A payment's chargebacks add up to what it says was charged back, and those that were reversed to what came back."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM chargebacks")
        try transaction.each(
            """
            SELECT p.id, p.currency, p.charged_back, p.chargeback_reversed, CAST(COALESCE(c.taken, 0) AS BIGINT) AS taken,
                CAST(COALESCE(c.given, 0) AS BIGINT) AS given
            FROM payments p LEFT JOIN (
                SELECT payment_id, SUM(amount) AS taken, SUM(CASE reversed WHEN 1 THEN amount ELSE 0 END) AS given
                FROM chargebacks GROUP BY payment_id
            ) AS c ON c.payment_id = p.id
            WHERE p.charged_back <> COALESCE(c.taken, 0) OR p.chargeback_reversed <> COALESCE(c.given, 0) ORDER BY p.id
            """
        ) { row in
            let (id, currency): (Int64, String) = (try row["id"], try row["currency"])
            let (chargedBack, reversed): (Int64, Int64) = (try row["charged_back"], try row["chargeback_reversed"])
            let (taken, given): (Int64, Int64) = (try row["taken"], try row["given"])
            finding.violation(
                "payment \(id)",
                "says \(amount(chargedBack, currency)) charged back and \(amount(reversed, currency)) reversed; its chargebacks say "
                    + "\(amount(taken, currency)) and \(amount(given, currency))")
        }
    }

    static let chargebacksAreTheBanks = Invariant(
        "chargebacks-are-the-banks", .money, .always, in: .payments,
        "Every chargeback of a sandbox charge stands in the company's own book with its amount, and is reversed only if it is there."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM chargebacks")
        try transaction.each(
            """
            SELECT c.id, c.amount, c.currency, b.amount AS taken
            FROM chargebacks c JOIN payments p ON p.id = c.payment_id
            LEFT JOIN sandbox_chargebacks b ON b.key = c.provider_reference AND b.charge_key = 'payment-' || CAST(p.id AS TEXT)
            WHERE p.provider_reference LIKE 'sandbox_%'
                AND (b.key IS NULL OR b.amount <> c.amount OR b.currency <> c.currency OR c.reversed > b.reversed) ORDER BY c.id
            """
        ) { row in
            let (id, told, currency): (Int64, Int64, String) = (try row["id"], try row["amount"], try row["currency"])
            let taken: Int64? = try row["taken"]
            finding.violation(
                "chargeback \(id)", "is of \(amount(told, currency)); the bank took \(taken.map { amount($0, currency) } ?? "nothing")")
        }
        try transaction.each(
            """
            SELECT * FROM (
                SELECT c.key, c.currency, c.amount,
                    CAST(COALESCE((SELECT SUM(amount) FROM sandbox_refunds WHERE charge_key = c.key), 0) AS BIGINT) AS refunded,
                    CAST(COALESCE((SELECT SUM(amount) FROM sandbox_chargebacks WHERE charge_key = c.key AND reversed = 0), 0) AS BIGINT) AS lost
                FROM sandbox_charges c
            ) AS sums WHERE refunded + lost > amount ORDER BY key
            """
        ) { row in
            let (key, currency, charged): (String, String, Int64) = (try row["key"], try row["currency"], try row["amount"])
            let (refunded, lost): (Int64, Int64) = (try row["refunded"], try row["lost"])
            finding.violation(
                "charge \(key)",
                "of \(amount(charged, currency)) went back twice: \(amount(refunded, currency)) by us, \(amount(lost, currency)) by the bank"
            )
        }
    }

    static let chargebacksAreHeard = Invariant(
        "chargebacks-are-heard", .money, .settled, in: .payments, "Every chargeback and reversal in the company's own book is known here."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM sandbox_chargebacks")
        try transaction.each(
            """
            SELECT b.key, b.amount, b.currency, b.reversed FROM sandbox_chargebacks b
            LEFT JOIN chargebacks c ON c.provider_reference = b.key WHERE c.id IS NULL OR c.reversed < b.reversed ORDER BY b.key
            """
        ) { row in
            let (key, taken, currency): (String, Int64, String) = (try row["key"], try row["amount"], try row["currency"])
            let isReversed: Bool = try row["reversed"]
            finding.violation(key, "of \(amount(taken, currency))\(isReversed ? " or its reversal" : "") was never heard of")
        }
    }
}
