import Commerce
import Contracts

/// An order as it is stored.
struct Order: Sendable, Hashable {
    let id: OrderID
    let userID: UserID
    /// Fixed when the order is placed.
    var lines: [OrderLine]
    let total: Money
    /// A token of the payment provider, never card data.
    let paymentMethod: String
    let shippingAddress: ShippingAddress?
    /// The lease in product-service; see `ReservationName`.
    let reservationID: String
    let createdAt: Timestamp
    var status: OrderStatus
    /// What payment-service has told of the money.
    var payment: OrderPayment
    /// How many entries the timeline has: the sequence of its last one.
    var timelineLength: Int64
}

/// What is known of the money of an order, from payment-service's events.
struct OrderPayment: Sendable, Hashable {
    var paymentID: PaymentID?
    var captured: Money
    var refunded: Money
    /// What the customer's bank has taken back, all in all, and what of that it has given back.
    var chargedBack: Money
    var chargebackReversed: Money
    /// Why the provider refused, as a sentence for the customer.
    var failureReason: String?

    static func none(_ currency: Currency) -> OrderPayment {
        OrderPayment(
            paymentID: nil, captured: .zero(currency), refunded: .zero(currency), chargedBack: .zero(currency),
            chargebackReversed: .zero(currency), failureReason: nil)
    }

    /// What the bank has now.
    var lost: Money { Money(minorUnits: chargedBack.minorUnits - chargebackReversed.minorUnits, currency: captured.currency) }

    /// In payment-service's words. An order that was cancelled before any capture is `voided`; a charge under way can still make it
    /// `captured` and then `refunded`.
    func status(of order: OrderStatus) -> String {
        if failureReason != nil { return "failed" }
        if captured.isPositive && refunded == captured { return "refunded" }
        if refunded.isPositive { return "partially-refunded" }
        if paymentID != nil { return "captured" }
        return order == .cancelled ? "voided" : "pending"
    }
}

/// One line of an order's history.
struct TimelineEntry: Sendable, Hashable {
    /// 1 for the first entry of an order, without holes.
    let sequence: Int64
    let status: OrderStatus
    let at: Timestamp
    let reason: String?
    /// False for what was only noted, such as a partial refund.
    let changesStatus: Bool
}

/// Where the parcel goes. Personal data: never in logs or events, and erased with its user.
struct ShippingAddress: Codable, Sendable, Hashable {
    let name: String
    let line1: String
    let line2: String?
    let city: String
    let postalCode: String
    /// ISO 3166-1 alpha-2.
    let country: String
}
