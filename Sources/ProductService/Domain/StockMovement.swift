import Commerce

/// One change of the pieces on the shelf. The movements of a product add up to what it has on hand.
struct StockMovement: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        /// Delivered by a supplier, or there from the start.
        case received
        /// Sold over the counter or by another system.
        case sale
        /// Sold to an order that is paid.
        case reservationCommitted = "reservation-committed"
        /// Back from an order that was cancelled or refunded before it was shipped.
        case returned
        /// Lost, found, broken or counted anew.
        case adjustment
    }

    let id: Int64
    let productID: ProductID
    let kind: Kind
    /// Pieces added, or taken when negative. Never 0.
    let delta: Int64
    /// What was on hand after it.
    let balance: Int64
    let reason: String?
    let orderID: OrderID?
    let at: Timestamp
}

/// Pieces to be taken from the shelf by hand.
struct StockWithdrawal: Sendable, Hashable {
    let quantity: Quantity
    /// `sale`, or `adjustment`, which has a reason.
    let kind: StockMovement.Kind
    let reason: String?

    init(quantity: Quantity, kind: StockMovement.Kind = .sale, reason: String? = nil) {
        self.quantity = quantity
        self.kind = kind
        self.reason = reason
    }
}

/// Pieces to be put on the shelf by hand.
struct Restocking: Sendable, Hashable {
    let quantity: Quantity
    let reason: String

    init(quantity: Quantity, reason: String) {
        self.quantity = quantity
        self.reason = reason
    }
}

/// What bounds the text of a reason.
enum MovementReason {
    static let length = 1...200
}
