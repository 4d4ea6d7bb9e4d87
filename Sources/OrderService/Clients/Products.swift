import Commerce
import Contracts

/// What order-service needs of product-service.
struct Products: Sendable {
    /// Holds pieces under the request's id, all or none. Asking again with the same id and lines gives the same answer.
    let reserve: @Sendable (ReservationRequest) async throws(ProductsError) -> ReservationOutcome
    /// Gives back what is held under an id. Of what is not held, nothing happens.
    let release: @Sendable (_ reservationID: String) async throws(ProductsError) -> Void
    /// Sells what is held for a paid order to it. False when its lease had ended and the pieces are gone. Asking again gives the same answer.
    let commit: @Sendable (_ reservationID: String, _ order: OrderID) async throws(ProductsError) -> Bool
}

/// Why there is no answer. Except for `cancelled` and `malformed`, the same call may be made again.
enum ProductsError: Error, Sendable, Hashable {
    /// It is down, or was left alone because it failed too often.
    case unavailable
    /// No answer in time: the pieces may be held or not.
    case timedOut
    /// So many requests wait already that this one was not taken.
    case overloaded
    /// What came is no answer to what was asked.
    case malformed
    /// The one who asked is gone.
    case cancelled
}
