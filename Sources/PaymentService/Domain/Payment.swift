import Commerce

/// Where a payment stands.
///
/// ```
/// pending ── captured ──▶ captured ── refund ──▶ partially-refunded ── refund ──▶ refunded
///    ├────── declined ──▶ failed
///    └────── order cancelled before the provider was asked ──▶ voided
/// ```
///
/// A chargeback changes no status: what was captured and refunded stays so, and what the bank has taken stands beside it.
enum PaymentStatus: String, Sendable, CaseIterable {
    case pending, captured, failed, voided, refunded
    case partiallyRefunded = "partially-refunded"
}

/// The payment of one order. There is exactly one for each order, and it is captured at most once, whole.
struct Payment: Sendable, Hashable {
    let id: PaymentID
    let orderID: OrderID
    let userID: UserID
    /// What the order costs: what may be captured.
    let amount: Money
    /// A token of the provider, never card data.
    let method: String
    var status: PaymentStatus
    var captured: Money
    var refunded: Money
    /// Asked of the provider, not yet confirmed.
    var refundPending: Money
    /// Taken back by the customer's bank, all in all; it only grows.
    var chargedBack: Money
    /// What of that the bank has given back; it only grows.
    var chargebackReversed: Money
    /// How often the provider was asked for the charge.
    var attempts: Int
    /// The order is off: whatever is or will be captured goes back.
    var orderCancelled: Bool
    var failureReason: String?
    /// The provider's own id of the charge.
    var providerReference: String?
    let createdAt: Timestamp

    /// What the bank has taken and not given back.
    var lost: Money { Money(minorUnits: chargedBack.minorUnits - chargebackReversed.minorUnits, currency: amount.currency) }

    /// What can still be given back. Negative when refunds are on their way of money that the bank has taken meanwhile: the provider
    /// will refuse these.
    var refundable: Money {
        get throws(MoneyError) { try captured.subtracting(refunded).subtracting(refundPending).subtracting(lost) }
    }
}

/// Why something cannot be done with a payment.
enum PaymentError: Error, Hashable {
    case notFound
    /// More than what was captured and has not gone back already.
    case exceedsCaptured(refundable: Money)
    case nothingToRefund
    case notCaptured(PaymentStatus)
    /// A notice about something that the provider has told us of, or will, but not yet.
    case notKnownYet
    case chargebackExceedsCaptured
}

// MARK: - Transitions

extension Payment {
    /// What follows from a transition, for the store to write beside the new state.
    enum Effect: Sendable, Hashable {
        case recordCapture(Money)
        case announceCapture
        case announceFailure(reason: String)
        /// Give back what is left of the capture.
        case refund(Money, reason: String)
        case announceChargeback(Money)
        case announceReversal(Money)
    }

    /// The provider has charged. For an order that was cancelled in the meantime (a late capture) all of it goes back.
    func capturing(reference: String, attempts: Int) throws(PaymentError) -> (Payment, [Effect]) {
        guard status == .pending else { throw .notCaptured(status) }
        var payment = self
        payment.status = .captured
        payment.captured = amount
        payment.attempts = attempts
        payment.providerReference = reference
        var effects: [Effect] = [.recordCapture(amount), .announceCapture]
        if orderCancelled { effects.append(.refund(amount, reason: Self.cancellationReason)) }
        return (payment, effects)
    }

    /// The provider has refused for good.
    func failing(reason: String, attempts: Int) throws(PaymentError) -> (Payment, [Effect]) {
        guard status == .pending else { throw .notCaptured(status) }
        var payment = self
        payment.status = .failed
        payment.attempts = attempts
        payment.failureReason = reason
        return (payment, orderCancelled ? [] : [.announceFailure(reason: reason)])
    }

    /// The order was cancelled before the provider was asked even once: no money ever moves.
    func voiding() throws(PaymentError) -> Payment {
        guard status == .pending else { throw .notCaptured(status) }
        var payment = self
        payment.status = .voided
        return payment
    }

    /// The order is off. What is captured goes back now; a charge under way is dealt with when its outcome is known.
    func cancelling() throws(MoneyError) -> (Payment, [Effect]) {
        var payment = self
        payment.orderCancelled = true
        return (payment, try payment.givingBackIfCancelled())
    }

    /// Of a cancelled order nothing is kept.
    private func givingBackIfCancelled() throws(MoneyError) -> [Effect] {
        let rest = try refundable
        return orderCancelled && rest.isPositive ? [.refund(rest, reason: Self.cancellationReason)] : []
    }

    /// Sets `refund` aside: it can be asked of the provider, and cannot be asked for twice.
    func reserving(refund: Money) throws -> Payment {
        guard captured.isPositive else { throw PaymentError.notCaptured(status) }
        let refundable = try refundable
        guard refundable.isPositive else { throw PaymentError.nothingToRefund }
        guard refund.currency == refundable.currency, refund.isPositive, refund.minorUnits <= refundable.minorUnits else {
            throw PaymentError.exceedsCaptured(refundable: refundable)
        }
        var payment = self
        payment.refundPending = try refundPending.adding(refund)
        return payment
    }

    /// The provider has given `refund` back.
    func completing(refund: Money) throws(MoneyError) -> Payment {
        var payment = self
        payment.refundPending = try refundPending.subtracting(refund)
        payment.refunded = try refunded.adding(refund)
        payment.status = payment.refunded == captured ? .refunded : .partiallyRefunded
        return payment
    }

    /// The provider refuses to give `refund` back, because the bank has taken the money.
    ///
    /// - Throws: `PaymentProviderError.chargebackUnheard` while no chargeback is known that would explain it.
    func refusing(refund: Money) throws -> (Payment, [Effect]) {
        guard try refundable.minorUnits <= -refund.minorUnits else { throw PaymentProviderError.chargebackUnheard }
        var payment = self
        payment.refundPending = try refundPending.subtracting(refund)
        return (payment, try payment.givingBackIfCancelled())
    }

    /// The customer's bank has taken `amount` back.
    func chargingBack(_ amount: Money) throws -> (Payment, [Effect]) {
        guard captured.isPositive else { throw PaymentError.notKnownYet }
        let left = try captured.subtracting(refunded).subtracting(lost)
        guard amount.currency == left.currency, amount.isPositive, amount.minorUnits <= left.minorUnits else {
            throw PaymentError.chargebackExceedsCaptured
        }
        var payment = self
        payment.chargedBack = try chargedBack.adding(amount)
        return (payment, [.announceChargeback(amount)])
    }

    /// The bank has given `amount` back. If the order is off by now, it goes on to the customer.
    func reversing(_ amount: Money) throws -> (Payment, [Effect]) {
        var payment = self
        payment.chargebackReversed = try chargebackReversed.adding(amount)
        return (payment, [.announceReversal(amount)] + (try payment.givingBackIfCancelled()))
    }

    static let cancellationReason = "The order was cancelled"
}
