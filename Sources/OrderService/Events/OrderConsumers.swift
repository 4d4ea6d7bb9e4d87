import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

/// What payment-service tells of the money moves orders on.
///
/// A feed gives each event once. Still an event whose fact is stored already changes nothing: so a dead letter can be replayed, and a
/// producer restored from a backup can say again what it has said before.
struct PaymentConsumer: Sendable {
    let store: OrderStore

    var consumer: Consumer {
        Consumer(
            of: .payments,
            handlers: [
                .on(PaymentCaptured.self) { event, _, transaction in try captured(event, transaction) },
                .on(PaymentFailed.self) { event, _, transaction in try failed(event, transaction) },
                .on(PaymentRefunded.self) { event, _, transaction in try refunded(event, transaction) },
                .on(PaymentChargedBack.self) { event, _, transaction in try chargedBack(event, transaction) },
                .on(PaymentChargebackReversed.self) { event, _, transaction in try reversed(event, transaction) },
            ])
    }

    private func captured(_ event: PaymentCaptured, _ transaction: Transaction) throws {
        var order = try store.order(of: event.orderID, in: transaction)
        if order.payment.paymentID == event.paymentID, order.payment.captured == event.amount { return }
        guard event.amount == order.total else {
            throw EventMismatch.otherAmount(order.id, total: order.total, captured: event.amount)
        }
        order.payment.paymentID = event.paymentID
        order.payment.captured = event.amount
        try store.apply(.paymentCaptured, to: order, in: transaction)
    }

    private func failed(_ event: PaymentFailed, _ transaction: Transaction) throws {
        var order = try store.order(of: event.orderID, in: transaction)
        if order.payment.paymentID == event.paymentID, order.payment.failureReason != nil { return }
        order.payment.paymentID = event.paymentID
        order.payment.failureReason = event.reason
        try store.apply(.paymentFailed(reason: event.reason), to: order, in: transaction)
    }

    private func refunded(_ event: PaymentRefunded, _ transaction: Transaction) throws {
        var order = try store.order(of: event.orderID, in: transaction)
        guard event.refundedInTotal.minorUnits > order.payment.refunded.minorUnits else { return }
        order.payment.refunded = event.refundedInTotal
        try store.apply(event.isComplete ? .refundedWhole(event.amount) : .refundedInPart(event.amount), to: order, in: transaction)
    }

    private func chargedBack(_ event: PaymentChargedBack, _ transaction: Transaction) throws {
        var order = try store.order(of: event.orderID, in: transaction)
        guard event.chargedBackInTotal.minorUnits > order.payment.chargedBack.minorUnits else { return }
        order.payment.chargedBack = event.chargedBackInTotal
        try store.apply(.chargedBack(event.amount), to: order, in: transaction)
    }

    private func reversed(_ event: PaymentChargebackReversed, _ transaction: Transaction) throws {
        var order = try store.order(of: event.orderID, in: transaction)
        guard event.reversedInTotal.minorUnits > order.payment.chargebackReversed.minorUnits else { return }
        order.payment.chargebackReversed = event.reversedInTotal
        try store.apply(.chargebackReversed(event.amount), to: order, in: transaction)
    }
}

/// What product-service tells of the stock.
struct StockConsumer: Sendable {
    let store: OrderStore

    var consumer: Consumer {
        Consumer(
            of: .products,
            handlers: [
                .on(ReservationLost.self) { event, _, transaction in
                    try store.apply(.reservationLost, to: try store.order(of: event.orderID, in: transaction), in: transaction)
                }
            ])
    }
}

/// What user-service tells of people.
struct UserConsumer: Sendable {
    let store: OrderStore

    var consumer: Consumer {
        Consumer(
            of: .users,
            handlers: [
                .on(UserErased.self) { event, _, transaction in try store.erase(event.userID, in: transaction) }
            ])
    }
}

extension OrderStore {
    /// The order that an event is about. It must exist: it was stored here before anybody could speak of it.
    fileprivate func order(of id: OrderID, in transaction: Transaction) throws -> Order {
        guard let order = try lockedOrder(id, in: transaction) else { throw EventMismatch.unknownOrder(id) }
        return order
    }
}
