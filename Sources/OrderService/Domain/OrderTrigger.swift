import Commerce

/// What can happen to an order. Each case is a fact or a request that the transition table knows.
enum OrderTrigger: Sendable, Hashable {
    /// The provider has charged the customer for the whole order.
    case paymentCaptured
    /// The provider has refused for good. The reason is a sentence that the customer may read.
    case paymentFailed(reason: String)
    /// Some of the capture has been given back.
    case refundedInPart(Money)
    /// With this amount all of the capture has been given back.
    case refundedWhole(Money)
    /// The customer's bank has taken this much of the capture back.
    case chargedBack(Money)
    /// The bank has given it back again.
    case chargebackReversed(Money)
    /// The lease on the pieces had ended when the order was paid, and they could not be had again.
    case reservationLost
    /// The order was not paid in time.
    case deadlinePassed
    /// The customer or an administrator wants the order off.
    case cancel
    /// The parcel has left the shop.
    case ship
    /// The parcel has arrived.
    case deliver

    /// The case without its values, for messages.
    var name: String {
        switch self {
        case .paymentCaptured: "payment-captured"
        case .paymentFailed: "payment-failed"
        case .refundedInPart: "refunded-in-part"
        case .refundedWhole: "refunded-whole"
        case .chargedBack: "charged-back"
        case .chargebackReversed: "chargeback-reversed"
        case .reservationLost: "reservation-lost"
        case .deadlinePassed: "deadline-passed"
        case .cancel: "cancel"
        case .ship: "ship"
        case .deliver: "deliver"
        }
    }
}
