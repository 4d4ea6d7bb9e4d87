import Commerce

/// Names chargebacks, so that an `Identifier` of one cannot be taken for another's.
enum ChargebackEntity {}
typealias ChargebackID = Identifier<ChargebackEntity>

/// Money that the customer's bank has taken back; or had, until it was shown wrong.
struct Chargeback: Sendable, Hashable {
    let id: ChargebackID
    let paymentID: PaymentID
    let amount: Money
    let isReversed: Bool
}
