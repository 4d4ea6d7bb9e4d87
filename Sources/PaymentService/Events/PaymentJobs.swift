import ChassisEvents
import ChassisStorage
import Commerce

// Money moves in two steps that no crash can confuse: the job asks the provider under a key that is the payment's own id, then writes what
// came of it. A crash between the two repeats the question, and the provider's answer is the same; a crash after the second finds nothing
// left to do. An order that is cancelled while the provider is being asked is seen when the outcome is written, and its capture goes back.

/// Asks the provider for an order's money.
struct ChargePayment: Job {
    static let kind = "charge-payment"
    /// Whether the provider has charged is not known: without its answer the order waits, and money may be kept for nothing.
    static let isIndispensable = true
    let paymentID: PaymentID
}

/// Asks the provider to give money back.
struct RefundCapture: Job {
    static let kind = "refund-capture"
    /// It is owed.
    static let isIndispensable = true
    let refundID: RefundID
}

struct PaymentJobs: Sendable {
    let database: Database
    let store: PaymentStore
    let provider: PaymentProvider

    var handlers: [JobHandler] {
        [
            .handle(ChargePayment.self, concurrency: 64, charge),
            .handle(RefundCapture.self, concurrency: 16, refund),
        ]
    }

    @Sendable private func charge(_ job: ChargePayment, _ context: JobContext) async throws -> JobOutcome {
        let payment = try await database.read { [store] in try store.payment(job.paymentID, in: $0) }
        guard let payment, payment.status == .pending else { return .done }
        // On the first run nobody has been asked yet; later the provider may have charged, and only it can tell.
        if payment.orderCancelled, context.isFirstRun {
            return .done { [store] in try store.save(try payment.voiding(), in: $0) }
        }
        let outcome = try await provider.charge(
            PaymentProvider.Charge(key: "payment-\(payment.id)", amount: payment.amount, method: payment.method))
        return .done { [store] in try store.record(outcome, of: payment.id, attempts: context.attempt, in: $0) }
    }

    @Sendable private func refund(_ job: RefundCapture, _ context: JobContext) async throws -> JobOutcome {
        let found = try await database.read { [store] transaction -> (Refund, Payment)? in
            guard let refund = try store.refund(job.refundID, in: transaction),
                let payment = try store.payment(refund.paymentID, in: transaction)
            else { return nil }
            return (refund, payment)
        }
        guard let (refund, payment) = found, refund.status == .pending, let charge = payment.providerReference else { return .done }
        let outcome = try await provider.refund(
            PaymentProvider.Refund(key: "refund-\(refund.id)", charge: charge, amount: refund.amount))
        return .done { [store] transaction in
            switch outcome {
            case .refunded(let reference): try store.complete(refund, reference: reference, in: transaction)
            case .refused: try store.refuse(refund, in: transaction)
            }
        }
    }
}

extension PaymentStore {
    /// Writes what the provider said, against the payment as it is now: its order may have been cancelled in the meantime.
    fileprivate func record(
        _ outcome: PaymentProvider.ChargeOutcome, of id: PaymentID, attempts: Int, in transaction: Transaction
    ) throws {
        guard let payment = try payment(id, in: transaction), payment.status == .pending else { return }
        let (after, effects) =
            switch outcome {
            case .captured(let reference): try payment.capturing(reference: reference, attempts: attempts)
            case .declined(let reason): try payment.failing(reason: reason, attempts: attempts)
            }
        try save(after, effects, in: transaction)
    }
}
