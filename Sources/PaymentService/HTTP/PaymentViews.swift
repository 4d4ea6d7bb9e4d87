import Chassis
import Commerce
import Foundation

/// A payment as the API shows it.
struct PaymentView: Encodable {
    let id: PaymentID
    let orderId: OrderID
    let userId: UserID
    let status: String
    let amount: Decimal
    let captured: Decimal
    let refunded: Decimal
    let chargedBack: Decimal
    let currency: Currency
    let attempts: Int
    let failureReason: String?
    let createdAt: Timestamp

    init(_ payment: Payment) {
        id = payment.id
        orderId = payment.orderID
        userId = payment.userID
        status = payment.status.rawValue
        amount = payment.amount.majorUnits
        captured = payment.captured.majorUnits
        refunded = payment.refunded.majorUnits
        chargedBack = payment.lost.majorUnits
        currency = payment.amount.currency
        attempts = payment.attempts
        failureReason = payment.failureReason
        createdAt = payment.createdAt
    }
}

struct RefundView: Encodable {
    let id: RefundID
    let paymentId: PaymentID
    let amount: Decimal
    let currency: Currency
    let reason: String
    let status: String
    let createdAt: Timestamp

    init(_ refund: Refund) {
        id = refund.id
        paymentId = refund.paymentID
        amount = refund.amount.majorUnits
        currency = refund.amount.currency
        reason = refund.reason
        status = refund.status.rawValue
        createdAt = refund.createdAt
    }
}

/// The balances per account, and their sum per currency, which is zero.
struct LedgerView: Encodable {
    struct AccountView: Encodable {
        let account: String
        let balance: Decimal
        let currency: Currency
    }

    struct SumView: Encodable {
        let currency: Currency
        let sum: Decimal
    }

    let accounts: [AccountView]
    let sums: [SumView]

    init(_ balances: [Balance]) {
        accounts = balances.map { AccountView(account: $0.account.rawValue, balance: $0.amount.majorUnits, currency: $0.amount.currency) }
        sums = Dictionary(grouping: balances, by: \.amount.currency)
            .map { currency, balances in SumView(currency: currency, sum: balances.reduce(0) { $0 + $1.amount.majorUnits }) }
            .sorted { $0.currency.code < $1.currency.code }
    }
}

/// `{amount?, reason}`: without an amount all that is left.
struct RefundBody: JSONBody, Encodable {
    /// In the payment's currency, which the body does not know: checked against it later.
    let amount: Decimal?
    let reason: String

    init(_ fields: Fields) throws {
        let amount = fields.optionalDecimal("amount", in: 0...Money.largestMajorUnits)
        let reason = fields.string("reason", length: 1...500)
        self.reason = try fields.all(reason)
        self.amount = amount
    }

    /// The amount that was asked for, nil for all that is left.
    func amount(in currency: Currency) throws(Problem) -> Money? {
        guard let amount else { return nil }
        guard amount > 0 else { throw .invalid("/amount", "must be more than 0") }
        guard let money = try? Money(majorUnits: amount, currency: currency) else {
            throw .invalid("/amount", "must have at most \(currency.decimals) decimals")
        }
        return money
    }
}
