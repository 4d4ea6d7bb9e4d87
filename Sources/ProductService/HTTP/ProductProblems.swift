import Chassis
import Commerce
import HTTPTypes

// How the errors of the domain look to a client. Sentences that the public API promises stand here and nowhere else.

extension ProductError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notFound:
            .notFound("Product not found")
        case .insufficientStock(let available):
            Problem(.badRequest, "insufficient-stock", "Insufficient stock", detail: "\(available) can be had now.")
        case .versionMismatch:
            Problem(
                .preconditionFailed, "precondition-failed", "The product has changed meanwhile",
                detail: "Read it again and send the ETag that you get then as If-Match.")
        case .unusablePrice(.tooManyDecimals(let currency)):
            .invalid("/price", "must have at most \(currency.decimals) decimals in \(currency.code)")
        case .unusablePrice:
            .invalid("/price", "must be at most \(Money.largestMajorUnits)")
        case .priceNotPositive:
            .invalid("/price", "must be more than 0")
        case .tooManyPieces:
            .invalid("/quantity", "would make more pieces than a product can have")
        }
    }
}

extension ReservationError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .unknown: .notFound("Reservation not found")
        case .alreadySold: .conflict("reservation-committed", "The pieces of this reservation are sold")
        case .contended: .unavailable("The reservation is being changed by others")
        }
    }
}
