import Commerce

enum RefundStatus: String, Sendable, CaseIterable {
    case pending, succeeded
    /// The customer's bank had taken the money back before.
    case failed
}

/// Money on its way back to a customer.
struct Refund: Sendable, Hashable {
    let id: RefundID
    let paymentID: PaymentID
    let amount: Money
    let reason: String
    let status: RefundStatus
    let createdAt: Timestamp
}
