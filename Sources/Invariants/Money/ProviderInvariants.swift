import ChassisStorage
import Contracts

// The sandbox provider's own book is the truth about what customers were charged: it is written by a company elsewhere, in transactions of
// its own, before payment-service knows. So between the two commits the provider may have charged a payment that is still pending, and
// given back a refund that is; never the other way round, and never for a payment that has ended without a capture.
//
// Payments of another provider have no book here. A capture tells by its reference whose it is.

extension Invariant {
    static let chargedIsCaptured = Invariant(
        "charged-is-captured", .money, .always, in: .payments,
        "The provider moved the money of each payment and refund at most once, and nothing counts as captured or refunded without it."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM sandbox_charges")
        try charges(transaction, &finding)
        try capturesWithoutCharge(transaction, &finding)
        try givenBack(transaction, &finding)
        try refundsWithoutProvider(transaction, &finding)
    }

    private static func charges(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT key, amount, currency FROM sandbox_charges
            WHERE charged = 1 AND key NOT IN (SELECT 'payment-' || CAST(id AS TEXT) FROM payments) ORDER BY key
            """
        ) { row in
            let (key, charged, currency): (String, Int64, String) = (try row["key"], try row["amount"], try row["currency"])
            finding.violation("charge \(key)", "of \(amount(charged, currency)) is for no payment")
        }
        try transaction.each(
            """
            SELECT p.id, p.status, p.amount, p.currency, c.amount AS charged, c.currency AS charged_currency
            FROM payments p JOIN sandbox_charges c ON c.key = 'payment-' || CAST(p.id AS TEXT)
            WHERE c.charged = 1 AND (c.amount <> p.amount OR c.currency <> p.currency OR p.status IN ('failed', 'voided')) ORDER BY p.id
            """
        ) { row in
            let (id, status): (Int64, String) = (try row["id"], try row["status"])
            let (due, currency): (Int64, String) = (try row["amount"], try row["currency"])
            let (charged, chargedCurrency): (Int64, String) = (try row["charged"], try row["charged_currency"])
            finding.violation(
                "payment \(id)", "of \(amount(due, currency)) is \(status); the provider charged \(amount(charged, chargedCurrency))")
        }
    }

    private static func capturesWithoutCharge(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT p.id, p.captured, p.currency
            FROM payments p LEFT JOIN sandbox_charges c ON c.key = 'payment-' || CAST(p.id AS TEXT) AND c.charged = 1
            WHERE p.captured > 0 AND (p.provider_reference IS NULL OR (p.provider_reference LIKE 'sandbox_%' AND c.key IS NULL))
            ORDER BY p.id
            """
        ) { row in
            let (id, captured, currency): (Int64, Int64, String) = (try row["id"], try row["captured"], try row["currency"])
            finding.violation("payment \(id)", "has captured \(amount(captured, currency)) that the provider never charged")
        }
    }

    private static func givenBack(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT key, amount, currency FROM sandbox_refunds
            WHERE key NOT IN (SELECT 'refund-' || CAST(id AS TEXT) FROM refunds) ORDER BY key
            """
        ) { row in
            let (key, given, currency): (String, Int64, String) = (try row["key"], try row["amount"], try row["currency"])
            finding.violation("provider's \(key)", "of \(amount(given, currency)) is for no refund")
        }
        try transaction.each(
            """
            SELECT r.id, r.amount, r.currency, g.amount AS given, g.currency AS given_currency, g.charge_key
            FROM refunds r JOIN sandbox_refunds g ON g.key = 'refund-' || CAST(r.id AS TEXT)
            WHERE g.amount <> r.amount OR g.currency <> r.currency OR g.charge_key <> 'payment-' || CAST(r.payment_id AS TEXT) ORDER BY r.id
            """
        ) { row in
            let (id, due, currency): (Int64, Int64, String) = (try row["id"], try row["amount"], try row["currency"])
            let (given, givenCurrency): (Int64, String) = (try row["given"], try row["given_currency"])
            let charge: String = try row["charge_key"]
            finding.violation(
                "refund \(id)", "is of \(amount(due, currency)); the provider gave back \(amount(given, givenCurrency)) of \(charge)")
        }
    }

    private static func refundsWithoutProvider(_ transaction: Transaction, _ finding: inout Finding) throws {
        try transaction.each(
            """
            SELECT r.id, r.amount, r.currency
            FROM refunds r JOIN payments p ON p.id = r.payment_id
            LEFT JOIN sandbox_refunds g ON g.key = 'refund-' || CAST(r.id AS TEXT)
            WHERE r.status = 'succeeded' AND p.provider_reference LIKE 'sandbox_%' AND g.key IS NULL ORDER BY r.id
            """
        ) { row in
            let (id, due, currency): (Int64, Int64, String) = (try row["id"], try row["amount"], try row["currency"])
            finding.violation("refund \(id)", "of \(amount(due, currency)) is done, but the provider gave nothing back")
        }
    }
}
