import Commerce

/// Why something cannot be done with a product.
enum ProductError: Error, Hashable, Sendable {
    /// There is no such product, or it is archived.
    case notFound
    /// Fewer pieces are free than were to be taken.
    case insufficientStock(available: Int64)
    /// The product has changed since the version that the change was meant for.
    case versionMismatch
    /// The amount cannot be a price in its currency.
    case unusablePrice(MoneyError)
    case priceNotPositive
    /// More pieces than a product can have.
    case tooManyPieces
}

/// Why something cannot be done with a reservation.
enum ReservationError: Error, Hashable, Sendable {
    /// No reservation has this id. For an event about a paid order this means that data was lost.
    case unknown(String)
    /// Its pieces are sold: what is sold is returned, not released.
    case alreadySold(String)
    /// Others changed it again and again in the same moments. A later attempt succeeds.
    case contended(String)
}
