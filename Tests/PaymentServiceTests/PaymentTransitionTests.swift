import Commerce
import Testing

@testable import PaymentService

@Suite("Every transition from every status")
struct PaymentTransitionTests {
    private static let ten = Money(minorUnits: 1000, currency: .usd)
    private static let three = Money(minorUnits: 300, currency: .usd)

    /// A payment of ten dollars as it stands in a status.
    private static func payment(_ status: PaymentStatus, orderCancelled: Bool = false) -> Payment {
        let captured: Money =
            switch status {
            case .captured, .partiallyRefunded, .refunded: ten
            case .pending, .failed, .voided: .zero(.usd)
            }
        let refunded: Money =
            switch status {
            case .refunded: ten
            case .partiallyRefunded: three
            default: .zero(.usd)
            }
        return Payment(
            id: PaymentID(rawValue: 1)!, orderID: OrderID(rawValue: 2)!, userID: UserID(rawValue: 3)!, amount: ten, method: "tok_visa",
            status: status, captured: captured, refunded: refunded, refundPending: .zero(.usd), chargedBack: .zero(.usd),
            chargebackReversed: .zero(.usd), attempts: 0, orderCancelled: orderCancelled,
            failureReason: nil, providerReference: nil, createdAt: Timestamp(millisecondsSinceEpoch: 0))
    }

    @Test("only a pending payment is captured", arguments: PaymentStatus.allCases)
    func capturing(status: PaymentStatus) throws {
        guard status == .pending else {
            #expect(throws: PaymentError.notCaptured(status)) { try Self.payment(status).capturing(reference: "r", attempts: 1) }
            return
        }
        let (after, effects) = try Self.payment(status).capturing(reference: "r", attempts: 2)
        #expect(after.status == .captured && after.captured == Self.ten && after.attempts == 2 && after.providerReference == "r")
        #expect(effects == [.recordCapture(Self.ten), .announceCapture])
    }

    @Test("a late capture, for an order that is off, goes back whole")
    func lateCapture() throws {
        let (after, effects) = try Self.payment(.pending, orderCancelled: true).capturing(reference: "r", attempts: 1)
        #expect(after.status == .captured)
        #expect(effects == [.recordCapture(Self.ten), .announceCapture, .refund(Self.ten, reason: Payment.cancellationReason)])
    }

    @Test("only a pending payment fails", arguments: PaymentStatus.allCases)
    func failing(status: PaymentStatus) throws {
        guard status == .pending else {
            #expect(throws: PaymentError.notCaptured(status)) { try Self.payment(status).failing(reason: "no", attempts: 1) }
            return
        }
        let (after, effects) = try Self.payment(status).failing(reason: "no", attempts: 1)
        #expect(after.status == .failed && after.failureReason == "no" && after.captured.isZero)
        #expect(effects == [.announceFailure(reason: "no")])
        #expect(try Self.payment(status, orderCancelled: true).failing(reason: "no", attempts: 1).1 == [])
    }

    @Test("only a pending payment is voided", arguments: PaymentStatus.allCases)
    func voiding(status: PaymentStatus) throws {
        guard status == .pending else {
            #expect(throws: PaymentError.notCaptured(status)) { try Self.payment(status).voiding() }
            return
        }
        #expect(try Self.payment(status).voiding().status == .voided)
    }

    @Test(
        "an order may be off in every status; what is left of its capture goes back",
        arguments: [(.pending, 0), (.captured, 1000), (.failed, 0), (.voided, 0), (.partiallyRefunded, 700), (.refunded, 0)]
            as [(PaymentStatus, Int64)])
    func cancelling(status: PaymentStatus, rest: Int64) throws {
        let (after, effects) = try Self.payment(status).cancelling()
        #expect(after.orderCancelled && after.status == status)
        #expect(effects == (rest > 0 ? [.refund(Money(minorUnits: rest, currency: .usd), reason: Payment.cancellationReason)] : []))
    }

    @Test("a refund is set aside only from what was captured and has not gone back", arguments: PaymentStatus.allCases)
    func reserving(status: PaymentStatus) throws {
        switch status {
        case .captured, .partiallyRefunded:
            #expect(try Self.payment(status).reserving(refund: Self.three).refundPending == Self.three)
        case .refunded:
            #expect(throws: PaymentError.nothingToRefund) { try Self.payment(status).reserving(refund: Self.three) }
        case .pending, .failed, .voided:
            #expect(throws: PaymentError.notCaptured(status)) { try Self.payment(status).reserving(refund: Self.three) }
        }
    }

    @Test("what is set aside cannot be set aside again")
    func reservingTwice() throws {
        let once = try Self.payment(.captured).reserving(refund: Money(minorUnits: 800, currency: .usd))
        let left = Money(minorUnits: 200, currency: .usd)
        #expect(try once.refundable == left)
        #expect(throws: PaymentError.exceedsCaptured(refundable: left)) { try once.reserving(refund: Self.three) }
        let all = try once.reserving(refund: left)
        #expect(throws: PaymentError.nothingToRefund) { try all.reserving(refund: Money(minorUnits: 1, currency: .usd)) }
        #expect(try all.cancelling().1 == [])
    }

    @Test("more than was captured, nothing, less than nothing and another currency are refused")
    func reservingWrongAmounts() throws {
        let yen = try #require(Currency(code: "JPY"))
        for amount in [
            Money(minorUnits: 1001, currency: .usd), .zero(.usd), Money(minorUnits: -1, currency: .usd),
            Money(minorUnits: .max, currency: .usd),
            Money(minorUnits: 1, currency: yen),
        ] {
            #expect(throws: PaymentError.exceedsCaptured(refundable: Self.ten)) { try Self.payment(.captured).reserving(refund: amount) }
        }
    }

    @Test("a refund that is complete moves from set aside to refunded; the last one ends the payment")
    func completing() throws {
        let seven = Money(minorUnits: 700, currency: .usd)
        let begun = try Self.payment(.captured).reserving(refund: Self.three).reserving(refund: seven)
        let partly = try begun.completing(refund: Self.three)
        #expect(partly.status == .partiallyRefunded && partly.refunded == Self.three && partly.refundPending == seven)
        let whole = try partly.completing(refund: seven)
        #expect(whole.status == .refunded && whole.refunded == Self.ten && whole.refundPending.isZero)
    }

    // MARK: Chargebacks

    @Test("a bank takes no more than is left, and only of what was captured", arguments: PaymentStatus.allCases)
    func chargingBack(status: PaymentStatus) throws {
        switch status {
        case .captured, .partiallyRefunded:
            let (after, effects) = try Self.payment(status).chargingBack(Self.three)
            #expect(after.status == status && after.lost == Self.three && effects == [.announceChargeback(Self.three)])
        case .refunded:
            #expect(throws: PaymentError.chargebackExceedsCaptured) { try Self.payment(status).chargingBack(Self.three) }
        case .pending, .failed, .voided:
            #expect(throws: PaymentError.notKnownYet) { try Self.payment(status).chargingBack(Self.three) }
        }
        #expect(throws: (any Error).self) { try Self.payment(.captured).chargingBack(Money(minorUnits: 1001, currency: .usd)) }
    }

    @Test("what the bank has taken is not given back a second time")
    func refundAfterChargeback() throws {
        let (after, _) = try Self.payment(.captured).chargingBack(Money(minorUnits: 800, currency: .usd))
        let left = Money(minorUnits: 200, currency: .usd)
        #expect(try after.refundable == left)
        #expect(throws: PaymentError.exceedsCaptured(refundable: left)) { try after.reserving(refund: Self.three) }
        #expect(try after.cancelling().1 == [.refund(left, reason: Payment.cancellationReason)])
        let (all, _) = try after.chargingBack(left)
        #expect(throws: PaymentError.nothingToRefund) { try all.reserving(refund: left) }
        #expect(try all.cancelling().1 == [])
    }

    @Test("a refund that the bank has overtaken ends once the chargeback is known, and not before")
    func refusing() throws {
        let begun = try Self.payment(.captured).reserving(refund: Self.three)
        #expect(throws: PaymentProviderError.chargebackUnheard) { try begun.refusing(refund: Self.three) }
        let (taken, _) = try begun.chargingBack(Self.ten)
        let (after, effects) = try taken.refusing(refund: Self.three)
        #expect(after.refundPending.isZero && after.refunded.isZero && effects == [])
    }

    @Test("what a bank gives back of an order that is off goes on to the customer")
    func reversing() throws {
        let (taken, _) = try Self.payment(.captured).chargingBack(Self.ten)
        let (kept, effects) = try taken.reversing(Self.ten)
        #expect(kept.lost.isZero && effects == [.announceReversal(Self.ten)])
        let (off, _) = try taken.cancelling()
        #expect(
            try off.reversing(Self.ten).1 == [.announceReversal(Self.ten), .refund(Self.ten, reason: Payment.cancellationReason)])
    }
}
