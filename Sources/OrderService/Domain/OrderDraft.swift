import Commerce
import Contracts

/// What a customer asks for, with everything checked that can be without knowing the products.
struct OrderDraft: Sendable, Hashable, Encodable {
    /// A larger order is two orders.
    static let largestLineCount = 100
    static let standardPaymentMethod = "tok_visa"

    /// For whom; nil for the caller.
    let userID: UserID?
    /// In the customer's order, each product once.
    let lines: [ReservationLine]
    /// What the customer expects to pay in; nil for whatever the products cost.
    let currency: Currency?
    let paymentMethod: String
    let shippingAddress: ShippingAddress?
}

/// An order with its prices and its reservation, ready to be stored.
struct PricedOrder: Sendable, Hashable {
    let userID: UserID
    let lines: [OrderLine]
    let total: Money
    let paymentMethod: String
    let shippingAddress: ShippingAddress?
    let reservationID: String
}

extension OrderDraft {
    /// Puts the prices at which the pieces were reserved onto the lines, and sums them up.
    ///
    /// - Throws: `OrderError` when the products' currency is not the expected one, when there are several, or when the sum is beyond all
    ///   measure.
    func priced(for userID: UserID, reservationID: String, _ reserved: [ReservedLine]) throws(OrderError) -> PricedOrder {
        var lines: [OrderLine] = []
        lines.reserveCapacity(self.lines.count)
        for line in self.lines {
            guard let priced = reserved.first(where: { $0.productID == line.productID && $0.quantity == line.quantity }) else {
                throw .reservationMalformed
            }
            lines.append(OrderLine(productID: line.productID, name: priced.name, unitPrice: priced.unitPrice, quantity: line.quantity))
        }
        return PricedOrder(
            userID: userID, lines: lines, total: try total(of: lines), paymentMethod: paymentMethod, shippingAddress: shippingAddress,
            reservationID: reservationID)
    }

    private func total(of lines: [OrderLine]) throws(OrderError) -> Money {
        guard let actual = lines.first?.unitPrice.currency else { throw .reservationMalformed }
        if let currency, currency != actual { throw .otherCurrency(actual) }
        do {
            var total = Money.zero(actual)
            for line in lines { total = try total.adding(try line.total) }
            return total
        } catch {
            switch error {
            case .currencyMismatch: throw .severalCurrencies
            case .tooLarge, .tooManyDecimals: throw .totalTooLarge
            }
        }
    }
}
