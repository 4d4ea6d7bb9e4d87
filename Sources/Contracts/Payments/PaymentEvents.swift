public import Commerce

/// The provider has charged the customer.
public struct PaymentCaptured: Event {
    public static let eventType = "souk.payment.captured"
    public static let source = ServiceName.payments
    public var subject: String { orderID.description }

    public let paymentID: PaymentID
    public let orderID: OrderID
    public let amount: Money

    public init(paymentID: PaymentID, orderID: OrderID, amount: Money) {
        self.paymentID = paymentID
        self.orderID = orderID
        self.amount = amount
    }
}

/// The provider has refused for good.
public struct PaymentFailed: Event {
    public static let eventType = "souk.payment.failed"
    public static let source = ServiceName.payments
    public var subject: String { orderID.description }

    public let paymentID: PaymentID
    public let orderID: OrderID
    /// A sentence that a customer may read, for example "The card was declined".
    public let reason: String

    public init(paymentID: PaymentID, orderID: OrderID, reason: String) {
        self.paymentID = paymentID
        self.orderID = orderID
        self.reason = reason
    }
}

/// Some or all of a capture has been given back.
public struct PaymentRefunded: Event {
    public static let eventType = "souk.payment.refunded"
    public static let source = ServiceName.payments
    public var subject: String { orderID.description }

    public let paymentID: PaymentID
    public let orderID: OrderID
    public let userID: UserID
    public let refundID: RefundID
    public let amount: Money
    /// The sum of all refunds of this payment so far.
    public let refundedInTotal: Money
    public let capturedInTotal: Money

    /// Nothing of the capture is left.
    public var isComplete: Bool { refundedInTotal == capturedInTotal }

    public init(
        paymentID: PaymentID, orderID: OrderID, userID: UserID, refundID: RefundID, amount: Money, refundedInTotal: Money,
        capturedInTotal: Money
    ) {
        self.paymentID = paymentID
        self.orderID = orderID
        self.userID = userID
        self.refundID = refundID
        self.amount = amount
        self.refundedInTotal = refundedInTotal
        self.capturedInTotal = capturedInTotal
    }
}

/// The customer's bank has taken back what was captured, or some of it: a chargeback.
public struct PaymentChargedBack: Event {
    public static let eventType = "souk.payment.charged-back"
    public static let source = ServiceName.payments
    public var subject: String { orderID.description }

    public let paymentID: PaymentID
    public let orderID: OrderID
    public let userID: UserID
    public let amount: Money
    /// The sum of all chargebacks of this payment so far, those that were reversed included.
    public let chargedBackInTotal: Money

    public init(paymentID: PaymentID, orderID: OrderID, userID: UserID, amount: Money, chargedBackInTotal: Money) {
        self.paymentID = paymentID
        self.orderID = orderID
        self.userID = userID
        self.amount = amount
        self.chargedBackInTotal = chargedBackInTotal
    }
}

/// The bank has given back what a chargeback had taken: the shop was right.
public struct PaymentChargebackReversed: Event {
    public static let eventType = "souk.payment.chargeback-reversed"
    public static let source = ServiceName.payments
    public var subject: String { orderID.description }

    public let paymentID: PaymentID
    public let orderID: OrderID
    public let userID: UserID
    public let amount: Money
    /// The sum of all reversals of this payment so far.
    public let reversedInTotal: Money

    public init(paymentID: PaymentID, orderID: OrderID, userID: UserID, amount: Money, reversedInTotal: Money) {
        self.paymentID = paymentID
        self.orderID = orderID
        self.userID = userID
        self.amount = amount
        self.reversedInTotal = reversedInTotal
    }
}
