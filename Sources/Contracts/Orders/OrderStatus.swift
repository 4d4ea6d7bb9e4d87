/// Where an order stands. `pending → paid → shipped → delivered`, `pending|paid → cancelled`, `paid|shipped|delivered → refunded`.
public enum OrderStatus: String, Codable, Sendable, CaseIterable {
    case pending, paid, shipped, delivered, cancelled, refunded
}

/// Why an order was cancelled.
public enum CancellationReason: String, Codable, Sendable, CaseIterable {
    /// The customer or an administrator asked for it.
    case requested
    case paymentFailed = "payment-failed"
    /// Not paid before its deadline.
    case deadlinePassed = "deadline-passed"
    /// Paid, but its pieces were gone.
    case outOfStock = "out-of-stock"
    /// Paid, but the customer's bank took the money back before it was shipped.
    case chargedBack = "charged-back"
}
