import Commerce
import Contracts

/// Why something cannot be done with an order.
enum OrderError: Error, Sendable, Hashable {
    /// There is none, or it is somebody else's, which is the same to who asks.
    case notFound
    /// Only an administrator orders for others.
    case forSomebodyElse

    // Placing
    /// The account is gone, though a token of it is still good.
    case userErased
    case insufficientStock(ProductID, available: Int64)
    case unknownProduct(ProductID)
    case otherCurrency(Currency)
    case severalCurrencies
    case totalTooLarge
    /// The key was used for other products in an attempt that came to no order.
    case keyUsedForOtherLines
    /// The key made an order so long ago that its response is no longer kept.
    case keyUsedBefore
    /// product-service is down, too busy or silent. The same request with the same key may be made again.
    case productsUnavailable
    /// product-service answered with something that is no answer to what was asked.
    case reservationMalformed

    // Changing
    case impossible(ImpossibleTransition)
    /// The lease of a paid order had ended, and its pieces are gone: it is about to be cancelled.
    case outOfStock
    /// product-service does not say whether the pieces are sold to the order. The same request may be made again.
    case shippingUnconfirmed

    // Following
    case tooManyFollowers
}

/// An event that contradicts what is stored. It is parked as a dead letter: trying again would not help, and leaving it out would lose money
/// or an order.
enum EventMismatch: Error, Sendable, Hashable {
    case unknownOrder(OrderID)
    case otherAmount(OrderID, total: Money, captured: Money)
}
