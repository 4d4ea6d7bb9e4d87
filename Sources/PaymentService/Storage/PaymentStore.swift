import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

// Every effect on a payment is written here, each in the one transaction of the event or job that causes it: the new state, the booking in
// the ledger, the event that tells others, the job that goes on. So a crash leaves either all of it or none, and a repeat finds the new
// state and stops. The schema says the same once more: one payment an order, one booking a key, never more back than was captured.

/// Reads and writes payments, refunds and the ledger. Its functions run inside a transaction that the caller owns.
struct PaymentStore: Sendable {
    let outbox: Outbox
    let jobs: JobQueue
    let now: @Sendable () -> Timestamp

    // MARK: Payments

    /// Starts the payment of an order that was placed. A repeat of the event changes nothing.
    func open(_ order: OrderPlaced, in transaction: Transaction) throws {
        let id: Int64? = try transaction.value(
            """
            INSERT INTO payments (order_id, user_id, amount, currency, method, status, created_at) VALUES (
                \(order.orderID), \(order.userID), \(order.total.minorUnits), \(order.total.currency.code), \(order.paymentMethod),
                \(PaymentStatus.pending), \(now())
            ) ON CONFLICT (order_id) DO NOTHING RETURNING id
            """)
        guard let id, let paymentID = PaymentID(rawValue: id) else { return }
        try jobs.enqueue(ChargePayment(paymentID: paymentID), key: "\(paymentID)", in: transaction)
    }

    func payment(_ id: PaymentID, in transaction: Transaction) throws -> Payment? {
        try transaction.first("SELECT \(Self.columns) FROM payments WHERE id = \(id)", Self.payment)
    }

    func payment(ofOrder id: OrderID, in transaction: Transaction) throws -> Payment? {
        try transaction.first("SELECT \(Self.columns) FROM payments WHERE order_id = \(id)", Self.payment)
    }

    /// The payment whose charge has this reference at the provider.
    func payment(chargedAs reference: String, in transaction: Transaction) throws -> Payment? {
        try transaction.first("SELECT \(Self.columns) FROM payments WHERE provider_reference = \(reference)", Self.payment)
    }

    /// Writes the payment's new state, and what follows from it.
    func save(_ payment: Payment, _ effects: [Payment.Effect] = [], in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE payments SET status = \(payment.status), captured = \(payment.captured.minorUnits), refunded = \(payment.refunded.minorUnits),
                refund_pending = \(payment.refundPending.minorUnits), charged_back = \(payment.chargedBack.minorUnits),
                chargeback_reversed = \(payment.chargebackReversed.minorUnits), attempts = \(payment.attempts),
                order_cancelled = \(payment.orderCancelled), failure_reason = \(payment.failureReason),
                provider_reference = \(payment.providerReference)
            WHERE id = \(payment.id)
            """)
        for effect in effects { try apply(effect, to: payment, in: transaction) }
    }

    private func apply(_ effect: Payment.Effect, to payment: Payment, in transaction: Transaction) throws {
        switch effect {
        case .recordCapture(let amount):
            try book(.capture(of: payment.id, amount), in: transaction)
        case .announceCapture:
            try outbox.append(
                PaymentCaptured(paymentID: payment.id, orderID: payment.orderID, amount: payment.captured), in: transaction)
        case .announceFailure(let reason):
            try outbox.append(PaymentFailed(paymentID: payment.id, orderID: payment.orderID, reason: reason), in: transaction)
        case .refund(let amount, let reason):
            guard amount.isPositive else { return }
            _ = try openRefund(of: payment, amount, reason: reason, in: transaction)
        case .announceChargeback(let amount):
            try outbox.append(
                PaymentChargedBack(
                    paymentID: payment.id, orderID: payment.orderID, userID: payment.userID, amount: amount,
                    chargedBackInTotal: payment.chargedBack),
                in: transaction)
        case .announceReversal(let amount):
            try outbox.append(
                PaymentChargebackReversed(
                    paymentID: payment.id, orderID: payment.orderID, userID: payment.userID, amount: amount,
                    reversedInTotal: payment.chargebackReversed),
                in: transaction)
        }
    }

    // MARK: Refunds

    /// Sets the amount aside and starts the job that gives it back.
    func openRefund(of payment: Payment, _ amount: Money, reason: String, in transaction: Transaction) throws -> Refund {
        try save(try payment.reserving(refund: amount), in: transaction)
        let refund = try transaction.first(
            """
            INSERT INTO refunds (payment_id, amount, currency, reason, status, created_at) VALUES (
                \(payment.id), \(amount.minorUnits), \(amount.currency.code), \(reason), \(RefundStatus.pending), \(now())
            ) RETURNING \(Self.refundColumns)
            """, Self.refund)
        guard let refund else { throw StorageError.misuse("INSERT … RETURNING gave no row") }
        try jobs.enqueue(RefundCapture(refundID: refund.id), key: "\(refund.id)", in: transaction)
        return refund
    }

    func refund(_ id: RefundID, in transaction: Transaction) throws -> Refund? {
        try transaction.first("SELECT \(Self.refundColumns) FROM refunds WHERE id = \(id)", Self.refund)
    }

    func refunds(of id: PaymentID, in transaction: Transaction) throws -> [Refund] {
        try transaction.all("SELECT \(Self.refundColumns) FROM refunds WHERE payment_id = \(id) ORDER BY id", Self.refund)
    }

    /// The provider has given the refund back: booked, told, done.
    func complete(_ refund: Refund, reference: String, in transaction: Transaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE refunds SET status = \(RefundStatus.succeeded), provider_reference = \(reference)
            WHERE id = \(refund.id) AND status = \(RefundStatus.pending)
            """)
        guard changed == 1, let payment = try payment(refund.paymentID, in: transaction) else { return }
        let after = try payment.completing(refund: refund.amount)
        try save(after, in: transaction)
        try book(.refund(refund.id, of: payment.id, refund.amount), in: transaction)
        try outbox.append(
            PaymentRefunded(
                paymentID: payment.id, orderID: payment.orderID, userID: payment.userID, refundID: refund.id, amount: refund.amount,
                refundedInTotal: after.refunded, capturedInTotal: after.captured),
            in: transaction)
    }

    /// The provider refuses the refund: nothing goes back, and nothing is set aside any more.
    func refuse(_ refund: Refund, in transaction: Transaction) throws {
        let changed = try transaction.execute(
            "UPDATE refunds SET status = \(RefundStatus.failed) WHERE id = \(refund.id) AND status = \(RefundStatus.pending)")
        guard changed == 1, let payment = try payment(refund.paymentID, in: transaction) else { return }
        let (after, effects) = try payment.refusing(refund: refund.amount)
        try save(after, effects, in: transaction)
    }

    // MARK: Ledger

    func book(_ transfer: Transfer, in transaction: Transaction) throws {
        guard transfer.amount.isPositive else { return }
        try transaction.execute(
            """
            INSERT INTO ledger_transfers (key, payment_id, debit_account, credit_account, amount, currency, created_at) VALUES (
                \(transfer.key), \(transfer.paymentID), \(transfer.debit), \(transfer.credit), \(transfer.amount.minorUnits),
                \(transfer.amount.currency.code), \(now())
            )
            """)
    }

    /// Every account's balance in every currency it has seen.
    func balances(in transaction: Transaction) throws -> [Balance] {
        try transaction.all(
            """
            SELECT account, currency, CAST(SUM(amount) AS BIGINT) AS balance FROM (
                SELECT debit_account AS account, currency, amount FROM ledger_transfers
                UNION ALL SELECT credit_account, currency, -amount FROM ledger_transfers
            ) AS bookings GROUP BY account, currency ORDER BY currency, account
            """
        ) { row in
            Balance(account: try row["account"], amount: Money(minorUnits: try row["balance"], currency: try row["currency"]))
        }
    }
}

// MARK: - Rows

extension PaymentStore {
    private static let columns: SQL = """
        id, order_id, user_id, amount, currency, method, status, captured, refunded, refund_pending, attempts, order_cancelled,
        failure_reason, provider_reference, created_at, charged_back, chargeback_reversed
        """
    private static let refundColumns: SQL = "id, payment_id, amount, currency, reason, status, created_at"

    private static func payment(_ row: Row) throws -> Payment {
        let currency: Currency = try row["currency"]
        func money(_ column: String) throws -> Money { Money(minorUnits: try row[column], currency: currency) }
        return Payment(
            id: try row["id"], orderID: try row["order_id"], userID: try row["user_id"], amount: try money("amount"),
            method: try row["method"],
            status: try row["status"], captured: try money("captured"), refunded: try money("refunded"),
            refundPending: try money("refund_pending"), chargedBack: try money("charged_back"),
            chargebackReversed: try money("chargeback_reversed"), attempts: try row["attempts"], orderCancelled: try row["order_cancelled"],
            failureReason: try row["failure_reason"], providerReference: try row["provider_reference"], createdAt: try row["created_at"])
    }

    private static func refund(_ row: Row) throws -> Refund {
        Refund(
            id: try row["id"], paymentID: try row["payment_id"],
            amount: Money(minorUnits: try row["amount"], currency: try row["currency"]),
            reason: try row["reason"], status: try row["status"], createdAt: try row["created_at"])
    }
}

extension PaymentStatus: SQLValueConvertible {}
extension RefundStatus: SQLValueConvertible {}
extension Account: SQLValueConvertible {}
