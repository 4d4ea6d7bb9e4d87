import Commerce

// The ledger is a list of transfers, each from one account to another in one row. A transfer takes from one account exactly what it gives
// to the other, so that the sum over all accounts is zero by its form: there is no way to write half a booking. A transfer has a key that is
// unique, so that what is booked twice by a repeated job is a constraint violation, never a second booking. Rows are never changed.

/// The accounts that money moves between.
enum Account: String, Sendable, CaseIterable {
    /// What the payment provider holds for the shop.
    case provider
    /// What customers have paid for goods.
    case sales
    /// What customers' banks have taken back.
    case chargebacks
}

/// One booking.
struct Transfer: Sendable, Hashable {
    /// What it is for, once: `capture-12`, `refund-7`.
    let key: String
    let paymentID: PaymentID
    let debit: Account
    let credit: Account
    /// Positive.
    let amount: Money

    static func capture(of payment: PaymentID, _ amount: Money) -> Transfer {
        Transfer(key: "capture-\(payment)", paymentID: payment, debit: .provider, credit: .sales, amount: amount)
    }

    static func chargeback(_ chargeback: ChargebackID, of payment: PaymentID, _ amount: Money) -> Transfer {
        Transfer(key: "chargeback-\(chargeback)", paymentID: payment, debit: .chargebacks, credit: .provider, amount: amount)
    }

    static func reversal(_ chargeback: ChargebackID, of payment: PaymentID, _ amount: Money) -> Transfer {
        Transfer(key: "reversal-\(chargeback)", paymentID: payment, debit: .provider, credit: .chargebacks, amount: amount)
    }

    static func refund(_ refund: RefundID, of payment: PaymentID, _ amount: Money) -> Transfer {
        Transfer(key: "refund-\(refund)", paymentID: payment, debit: .sales, credit: .provider, amount: amount)
    }
}

/// An account's balance in one currency: debits less credits.
struct Balance: Sendable, Hashable {
    let account: Account
    let amount: Money
}
