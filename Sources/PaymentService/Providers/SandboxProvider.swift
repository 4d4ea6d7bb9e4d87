import Chassis
package import ChassisStorage
import Commerce
import Foundation
import HTTPTypes

// The sandbox is a payment provider without money. It behaves like a company elsewhere: it keeps its own book, in tables that nothing else
// in this service reads or writes, in transactions of its own. So it remembers a charge through a crash of the service, as a real one would,
// and the book can be held against the ledger to prove that nobody was charged twice.
//
// What happens is told by the payment method:
//   tok_visa                charged
//   tok_declined            refused
//   tok_insufficient_funds  refused
//   tok_flaky               away the first two times, then charged
//   tok_timeout             charged, but the answer to the first call is lost
//   tok_chargeback          charged; a moment later the customer's bank takes the money back (`SandboxBank`)
//   tok_chargeback_won      the same, and some time later the bank gives it back: the shop was right
// Any other method is refused.
//
// A chargeback takes all of a charge that has not been refunded. From then on, until it is reversed, the company refuses refunds of the charge, as
// real ones do: else the customer would get the money twice.

/// The built-in provider for development and tests.
package struct SandboxProvider: Sendable {
    static let name = "sandbox"
    static let chargebackMethods: Set<String> = ["tok_chargeback", "tok_chargeback_won"]

    let database: Database
    let signature: WebhookSignature
    /// Told of every charge that is entered, in the transaction that enters it.
    private let charged: @Sendable (PaymentProvider.Charge, Transaction) throws -> Void

    package init(database: Database, signature: WebhookSignature) {
        self.init(database: database, signature: signature) { _, _ in }
    }

    init(
        database: Database, signature: WebhookSignature, charged: @escaping @Sendable (PaymentProvider.Charge, Transaction) throws -> Void
    ) {
        self.database = database
        self.signature = signature
        self.charged = charged
    }

    package var provider: PaymentProvider {
        PaymentProvider(name: Self.name, charge: charge, refund: refund, read: read)
    }

    // MARK: Charges

    @Sendable private func charge(_ charge: PaymentProvider.Charge) async throws -> PaymentProvider.ChargeOutcome {
        if let reason = Self.refusal(of: charge.method) { return .declined(reason: reason) }
        let call = try await database.write { transaction in
            let call = try Self.enter(charge, in: transaction)
            if call == 1 { try charged(charge, transaction) }
            return call
        }
        if charge.method == "tok_flaky", call <= 2 { throw PaymentProviderError.unavailable }
        if charge.method == "tok_timeout", call == 1 { throw PaymentProviderError.answerLost }
        return .captured(reference: Self.reference(of: charge.key))
    }

    /// Enters the call in the book, and the charge with the call that makes it. Returns how often this key has called.
    private static func enter(_ charge: PaymentProvider.Charge, in transaction: Transaction) throws -> Int64 {
        let callsUntilCharged: Int64 = charge.method == "tok_flaky" ? 3 : 1
        let calls: Int64? = try transaction.value(
            """
            INSERT INTO sandbox_charges (key, amount, currency, calls, charged) VALUES (
                \(charge.key), \(charge.amount.minorUnits), \(charge.amount.currency.code), 1, \(callsUntilCharged <= 1)
            ) ON CONFLICT (key) DO UPDATE SET
                calls = sandbox_charges.calls + 1,
                charged = CASE WHEN sandbox_charges.calls + 1 >= \(callsUntilCharged) THEN 1 ELSE 0 END
            RETURNING calls
            """)
        return calls ?? 1
    }

    private static func refusal(of method: String) -> String? {
        switch method {
        case "tok_visa", "tok_flaky", "tok_timeout",
            _ where chargebackMethods.contains(method):
            nil
        case "tok_declined": "The card was declined"
        case "tok_insufficient_funds": "The card has insufficient funds"
        default: "The payment method is not known"
        }
    }

    static func reference(of chargeKey: String) -> String { "sandbox_\(chargeKey)" }

    private static func key(of reference: String) -> String { String(reference.dropFirst("sandbox_".count)) }

    // MARK: Refunds

    @Sendable private func refund(_ refund: PaymentProvider.Refund) async throws -> PaymentProvider.RefundOutcome {
        let charge = Self.key(of: refund.charge)
        let isGiven = try await database.write { transaction in
            // A key that was granted stays granted, whatever the bank has done since.
            let known = try transaction.value("SELECT key FROM sandbox_refunds WHERE key = \(refund.key)", as: String.self)
            if known != nil { return true }
            guard try Self.left(of: charge, in: transaction) >= refund.amount.minorUnits else { return false }
            try transaction.execute(
                """
                INSERT INTO sandbox_refunds (key, charge_key, amount, currency) VALUES (
                    \(refund.key), \(charge), \(refund.amount.minorUnits), \(refund.amount.currency.code))
                """)
            return true
        }
        return isGiven ? .refunded(reference: "sandbox_\(refund.key)") : .refused
    }

    /// What of a charge neither the customer nor the bank has got back.
    static func left(of chargeKey: String, in transaction: Transaction) throws -> Int64 {
        try transaction.value(
            """
            SELECT amount
                - (SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM sandbox_refunds WHERE charge_key = \(chargeKey))
                - (SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM sandbox_chargebacks
                    WHERE charge_key = \(chargeKey) AND reversed = 0)
            FROM sandbox_charges WHERE key = \(chargeKey) AND charged = 1
            """) ?? 0
    }

    // MARK: Notices

    @Sendable private func read(_ notice: PaymentProvider.Notice) throws -> PaymentProvider.Event {
        try signature.check(notice.headers[.soukSignature], of: notice.body)
        return try SandboxNotice(notice.body).event()
    }
}
