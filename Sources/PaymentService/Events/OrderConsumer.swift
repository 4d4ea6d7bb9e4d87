import ChassisEvents
import ChassisStorage
import Contracts

/// What payments do when orders come and go.
struct OrderConsumer: Sendable {
    let store: PaymentStore

    var consumer: Consumer {
        Consumer(of: .orders, handlers: [.on(OrderPlaced.self, placed), .on(OrderCancelled.self, cancelled)])
    }

    @Sendable private func placed(_ event: OrderPlaced, _ context: EventContext, _ transaction: Transaction) throws {
        try store.open(event, in: transaction)
    }

    /// The feed tells of an order's beginning before its end, so its payment is here.
    @Sendable private func cancelled(_ event: OrderCancelled, _ context: EventContext, _ transaction: Transaction) throws {
        guard let payment = try store.payment(ofOrder: event.orderID, in: transaction) else { throw PaymentError.notFound }
        let (after, effects) = try payment.cancelling()
        try store.save(after, effects, in: transaction)
    }
}
