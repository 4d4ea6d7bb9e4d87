import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

/// Which events a customer is told of, and in which words.
struct EventConsumers: Sendable {
    let store: NotificationStore

    // MARK: Users

    var users: Consumer {
        Consumer(
            of: .users,
            handlers: [
                .on(UserRegistered.self) { [store] event, context, transaction in
                    let choices = NotificationChoices.standard
                    try store.save(
                        Contact(
                            userID: event.userID, name: event.name, email: event.email, phone: nil, wantsEmail: choices.email,
                            wantsSMS: choices.sms),
                        in: transaction)
                    try store.add(.welcome, to: event.userID, cause: context.id, model: [:], in: transaction)
                },
                .on(UserUpdated.self) { [store] event, _, transaction in
                    try store.save(
                        Contact(
                            userID: event.userID, name: event.name, email: event.email, phone: event.phone, wantsEmail: event.choices.email,
                            wantsSMS: event.choices.sms),
                        in: transaction)
                },
                .on(UserErased.self) { [store] event, _, transaction in
                    try store.erase(event.userID, in: transaction)
                },
            ])
    }

    // MARK: Orders

    var orders: Consumer {
        Consumer(
            of: .orders,
            handlers: [
                .on(OrderPlaced.self) { event, context, transaction in
                    let model = ["orderId": "\(event.orderID)", "total": "\(event.total)", "summary": Self.summary(of: event.lines)]
                    try store.add(.orderPlaced, to: event.userID, cause: context.id, model: model, in: transaction)
                },
                .on(OrderPaid.self) { event, context, transaction in
                    let model = ["orderId": "\(event.orderID)", "total": "\(event.total)"]
                    try store.add(.orderPaid, to: event.userID, cause: context.id, model: model, in: transaction)
                },
                .on(OrderCancelled.self) { event, context, transaction in
                    let model = ["orderId": "\(event.orderID)", "reason": Self.sentence(for: event.reason)]
                    try store.add(.orderCancelled, to: event.userID, cause: context.id, model: model, in: transaction)
                },
                .on(OrderShipped.self) { event, context, transaction in
                    try store.add(
                        .orderShipped, to: event.userID, cause: context.id, model: ["orderId": "\(event.orderID)"], in: transaction)
                },
                .on(OrderDelivered.self) { event, context, transaction in
                    try store.add(
                        .orderDelivered, to: event.userID, cause: context.id, model: ["orderId": "\(event.orderID)"], in: transaction)
                },
                .on(OrderRefunded.self) { event, context, transaction in
                    try store.add(
                        .orderRefunded, to: event.userID, cause: context.id, model: ["orderId": "\(event.orderID)"], in: transaction)
                },
            ])
    }

    // MARK: Payments

    var payments: Consumer {
        Consumer(
            of: .payments,
            handlers: [
                .on(PaymentRefunded.self) { event, context, transaction in
                    let model = ["orderId": "\(event.orderID)", "amount": "\(event.amount)"]
                    try store.add(.refundIssued, to: event.userID, cause: context.id, model: model, in: transaction)
                },
                .on(PaymentChargedBack.self) { event, context, transaction in
                    let model = ["orderId": "\(event.orderID)", "amount": "\(event.amount)"]
                    try store.add(.paymentChargedBack, to: event.userID, cause: context.id, model: model, in: transaction)
                },
            ])
    }

    private static func summary(of lines: [OrderLine]) -> String {
        lines.map { "\($0.quantity) × \($0.name)" }.joined(separator: ", ")
    }

    private static func sentence(for reason: CancellationReason) -> String {
        switch reason {
        case .requested: "as you asked"
        case .paymentFailed: "the payment was refused"
        case .deadlinePassed: "it was not paid in time"
        case .outOfStock: "a product is no longer to be had"
        case .chargedBack: "your bank took the payment back"
        }
    }
}
