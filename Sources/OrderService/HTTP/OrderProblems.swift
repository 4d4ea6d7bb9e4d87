import Chassis
import Commerce
import Contracts
import HTTPTypes

extension OrderError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notFound:
            .notFound("Order not found")
        case .forSomebodyElse:
            .forbidden.with(detail: "userId must be your own: only an administrator orders for others.")

        case .userErased:
            .notPlaced(.notFound, "user-not-found", "User not found", detail: "The account was erased.")
        case .insufficientStock(let product, let available):
            .notPlaced(
                .badRequest, "insufficient-stock", "Insufficient stock",
                detail: "Of product \(product) there are \(max(0, available)) left.")
        case .unknownProduct(let product):
            .notPlaced(.notFound, "product-not-found", "Product not found", detail: "There is no product \(product).")
        case .otherCurrency(let currency):
            .invalid("/currency", "must be \(currency.code), the currency of the products")
        case .severalCurrencies:
            .invalid("/items", "must all have their price in the same currency")
        case .totalTooLarge:
            .invalid("/items", "cost too much for one order")
        case .keyUsedForOtherLines:
            // Not the 422 of a key whose response is stored: that would be stored in turn, and the right body could never use the key again.
            .notPlaced(
                .conflict, "idempotency-key-reused", "This Idempotency-Key was used for other products",
                detail: "A repeat must have the same body; another order needs another key.")
        case .keyUsedBefore:
            .notPlaced(
                .conflict, "idempotency-key-used", "This Idempotency-Key was used up by an earlier order",
                detail: "Its response is no longer kept. Another order needs another key.")
        case .productsUnavailable:
            Problem.unavailable("Failed to create order", retryAfter: .seconds(1))
                .with(detail: "The same request may be repeated with the same Idempotency-Key.")
                .with(innerError: "Product service is unavailable")
        case .reservationMalformed:
            .notPlaced(
                .badGateway, "reservation-failed", "Product service gave no usable answer",
                detail: "The same request may be repeated with the same Idempotency-Key.")

        case .impossible(let transition):
            .conflict("order-\(transition.status.rawValue)", transition.sentence)
        case .outOfStock:
            Problem(
                .conflict, "order-out-of-stock", "The pieces of this order are gone",
                detail: "It was paid after its reservation had ended. It is being cancelled, and the money given back.")
        case .shippingUnconfirmed:
            .unavailable("The order cannot be shipped right now: product service does not answer", retryAfter: .seconds(1))
        case .tooManyFollowers:
            .unavailable("Too many follow orders right now", retryAfter: .seconds(5))
        }
    }
}

extension ImpossibleTransition {
    /// For the person who asked for it.
    fileprivate var sentence: String {
        switch trigger {
        case .cancel: "An order that is \(status.rawValue) cannot be cancelled"
        case .ship: "An order that is \(status.rawValue) cannot be shipped"
        case .deliver: "An order that is \(status.rawValue) cannot be delivered"
        default: "The order is \(status.rawValue)"
        }
    }
}

extension Problem {
    /// The two sentences with which the reference API tells that an order did not come to be.
    fileprivate static func notPlaced(_ status: HTTPResponse.Status, _ kind: String, _ reason: String, detail: String) -> Problem {
        Problem(status, kind, "Failed to create order", detail: detail).with(innerError: reason)
    }
}
