public import Commerce

/// A paid order's lease had ended and its pieces could not be had again: the order cannot be fulfilled.
public struct ReservationLost: Event {
    public static let eventType = "souk.stock.reservation-lost"
    public static let source = ServiceName.products
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let reservationID: String
    /// The first product that was short.
    public let productID: ProductID

    public init(orderID: OrderID, reservationID: String, productID: ProductID) {
        self.orderID = orderID
        self.reservationID = reservationID
        self.productID = productID
    }
}
