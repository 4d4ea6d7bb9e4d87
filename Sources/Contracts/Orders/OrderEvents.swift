public import Commerce

/// A line of an order at the price that the customer agreed to.
public struct OrderLine: Codable, Sendable, Hashable {
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

    /// The price of all its pieces.
    public var total: Money {
        get throws(MoneyError) { try unitPrice.multiplied(by: quantity.rawValue) }
    }
}

/// An order is stored and waits for its payment.
public struct OrderPlaced: Event {
    public static let eventType = "souk.order.placed"
    public static let source = ServiceName.orders
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let userID: UserID
    public let lines: [OrderLine]
    public let total: Money
    /// A token of the payment provider, never card data.
    public let paymentMethod: String

    public init(orderID: OrderID, userID: UserID, lines: [OrderLine], total: Money, paymentMethod: String) {
        self.orderID = orderID
        self.userID = userID
        self.lines = lines
        self.total = total
        self.paymentMethod = paymentMethod
    }
}

/// The money is there; the pieces can be sold for good.
public struct OrderPaid: Event {
    public static let eventType = "souk.order.paid"
    public static let source = ServiceName.orders
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let userID: UserID
    public let reservationID: String
    public let lines: [OrderLine]
    public let total: Money

    public init(orderID: OrderID, userID: UserID, reservationID: String, lines: [OrderLine], total: Money) {
        self.orderID = orderID
        self.userID = userID
        self.reservationID = reservationID
        self.lines = lines
        self.total = total
    }
}

/// The order is off: what is reserved is released, what was sold goes back on the shelf, what was captured is refunded.
public struct OrderCancelled: Event {
    public static let eventType = "souk.order.cancelled"
    public static let source = ServiceName.orders
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let userID: UserID
    public let reservationID: String
    public let total: Money
    public let reason: CancellationReason
    /// Where the order stood before: `pending` or `paid`.
    public let previousStatus: OrderStatus

    public init(
        orderID: OrderID, userID: UserID, reservationID: String, total: Money, reason: CancellationReason, previousStatus: OrderStatus
    ) {
        self.orderID = orderID
        self.userID = userID
        self.reservationID = reservationID
        self.total = total
        self.reason = reason
        self.previousStatus = previousStatus
    }
}

/// The pieces have left the shop. From here on nothing that happens to the order concerns its reservation.
public struct OrderShipped: Event {
    public static let eventType = "souk.order.shipped"
    public static let source = ServiceName.orders
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let userID: UserID
    public let reservationID: String

    public init(orderID: OrderID, userID: UserID, reservationID: String) {
        self.orderID = orderID
        self.userID = userID
        self.reservationID = reservationID
    }
}

public struct OrderDelivered: Event {
    public static let eventType = "souk.order.delivered"
    public static let source = ServiceName.orders
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let userID: UserID

    public init(orderID: OrderID, userID: UserID) {
        self.orderID = orderID
        self.userID = userID
    }
}

/// All that was captured has been given back.
public struct OrderRefunded: Event {
    public static let eventType = "souk.order.refunded"
    public static let source = ServiceName.orders
    public var subject: String { orderID.description }

    public let orderID: OrderID
    public let userID: UserID
    public let reservationID: String
    public let total: Money
    /// Where the order stood before. Pieces of an order that was only `paid` never left the shop and go back on the shelf.
    public let previousStatus: OrderStatus

    public init(orderID: OrderID, userID: UserID, reservationID: String, total: Money, previousStatus: OrderStatus) {
        self.orderID = orderID
        self.userID = userID
        self.reservationID = reservationID
        self.total = total
        self.previousStatus = previousStatus
    }
}
