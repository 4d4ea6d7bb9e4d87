package import ChassisStorage
import Commerce

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
// Any other method is refused.

/// The built-in provider for development and tests.
package struct SandboxProvider: Sendable {
    let database: Database

    package init(database: Database) {
        self.database = database
    }

    package var provider: PaymentProvider {
        PaymentProvider(name: "sandbox", charge: charge, refund: refund)
    }

    @Sendable private func charge(_ charge: PaymentProvider.Charge) async throws -> PaymentProvider.ChargeOutcome {
        if let reason = Self.refusal(of: charge.method) { return .declined(reason: reason) }
        let call = try await database.write { transaction in try Self.enter(charge, in: transaction) }
        if charge.method == "tok_flaky", call <= 2 { throw PaymentProviderError.unavailable }
        if charge.method == "tok_timeout", call == 1 { throw PaymentProviderError.answerLost }
        return .captured(reference: "sandbox_\(charge.key)")
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
        case "tok_visa", "tok_flaky", "tok_timeout": nil
        case "tok_declined": "The card was declined"
        case "tok_insufficient_funds": "The card has insufficient funds"
        default: "The payment method is not known"
        }
    }

    @Sendable private func refund(_ refund: PaymentProvider.Refund) async throws -> String {
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO sandbox_refunds (key, charge_key, amount, currency) VALUES (
                    \(refund.key), \(String(refund.charge.dropFirst("sandbox_".count))), \(refund.amount.minorUnits), \(refund.amount.currency.code)
                ) ON CONFLICT (key) DO NOTHING
                """)
        }
        return "sandbox_\(refund.key)"
    }
}
