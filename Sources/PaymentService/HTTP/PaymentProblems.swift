public import Chassis
import HTTPTypes

extension PaymentError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notFound: .notFound("Payment not found")
        case .exceedsCaptured(let refundable):
            Problem(
                .badRequest, "refund-exceeds-captured", "A refund cannot exceed what was captured",
                detail: "At most \(refundable) can be refunded.")
        case .nothingToRefund: .conflict("nothing-to-refund", "All of this payment has been refunded")
        case .notKnownYet: .unavailable("This is not known here yet", retryAfter: .seconds(10))
        case .chargebackExceedsCaptured: .conflict("chargeback-exceeds-captured", "A chargeback cannot exceed what was captured")
        case .notCaptured(let status): .conflict("payment-not-captured", "Nothing was captured: the payment is \(status.rawValue)")
        }
    }
}

extension PaymentProviderError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .notGenuine: Problem(.badRequest, "invalid-signature", "The signature is not valid")
        case .unreadable: Problem(.badRequest, "invalid-request", "The notice cannot be read")
        case .unavailable, .answerLost, .chargebackUnheard: .unavailable("The payment provider is not available")
        }
    }
}
