import Chassis
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
        case .notCaptured(let status): .conflict("payment-not-captured", "Nothing was captured: the payment is \(status.rawValue)")
        }
    }
}
