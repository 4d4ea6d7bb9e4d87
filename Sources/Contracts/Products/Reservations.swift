public import Commerce

// What order-service asks of product-service: `POST /internal/reservations`, and before it ships `POST /internal/reservations/{id}/commit`.
//
// A reservation is a lease on pieces of stock. Its id is chosen by the caller, so that asking twice is asking once. The request carries
// many reservations at a time: those that wait at the same moment travel together.
//
// What becomes of an order is told by its events, which may be late. That is soon enough for everything but for goods that leave the shop:
// they must be known to be sold to this order.

/// A number of pieces of one product.
public struct ReservationLine: Codable, Sendable, Hashable {
    public let productID: ProductID
    public let quantity: Quantity

    public init(productID: ProductID, quantity: Quantity) {
        self.productID = productID
        self.quantity = quantity
    }
}

/// One reservation to be made. The lines name each product once.
public struct ReservationRequest: Codable, Sendable, Hashable {
    /// Chosen by the caller, at most 64 characters. The same id with the same lines is the same reservation.
    public let id: String
    public let lines: [ReservationLine]

    public init(id: String, lines: [ReservationLine]) {
        self.id = id
        self.lines = lines
    }
}

public struct ReservationBatch: Codable, Sendable {
    /// The most reservations of one batch.
    public static let largest = 64

    public let reservations: [ReservationRequest]

    public init(reservations: [ReservationRequest]) {
        self.reservations = reservations
    }
}

/// A line as it was reserved: what it is called and what it costs now.
public struct ReservedLine: Codable, Sendable, Hashable {
    public let productID: ProductID
    public let name: String
    public let unitPrice: Money
    public let quantity: Quantity

    public init(productID: ProductID, name: String, unitPrice: Money, quantity: Quantity) {
        self.productID = productID
        self.name = name
        self.unitPrice = unitPrice
        self.quantity = quantity
    }
}

/// What became of one request of a batch.
public enum ReservationOutcome: Codable, Sendable, Hashable {
    /// Held until `expiresAt` unless it is committed or released before.
    case reserved(lines: [ReservedLine], expiresAt: Timestamp)
    case unknownProduct(ProductID)
    case insufficientStock(ProductID, available: Int64)
    /// The id is known with other lines.
    case mismatch
    /// The id is known and its lease has ended: released or expired. A new id is needed.
    case ended
}

/// The outcomes in the order of the requests.
public struct ReservationReplies: Codable, Sendable {
    public let outcomes: [ReservationOutcome]

    public init(outcomes: [ReservationOutcome]) {
        self.outcomes = outcomes
    }
}

/// Asks that the pieces of a paid order be sold to it now, if the event of its payment has not done so yet.
public struct ReservationCommitment: Codable, Sendable {
    public let orderID: OrderID

    public init(orderID: OrderID) {
        self.orderID = orderID
    }
}

/// Whether they are. If not, the order is off, or will be: its lease had ended, and others have the pieces.
public struct ReservationCommitted: Codable, Sendable {
    public let isCommitted: Bool

    public init(isCommitted: Bool) {
        self.isCommitted = isCommitted
    }
}
