import Commerce
import Contracts

// The life of an order, as a table.
//
//     pending ──▶ paid ──▶ shipped ──▶ delivered
//        │         │          │            │
//        ▼         ▼          ▼            ▼
//      cancelled   cancelled  └─ refunded ─┘        (paid, too, can be refunded)
//
// `transition(on:)` is the only place that decides what an order may become. It is a pure function, so that every pair of state and trigger
// is tested, and its switch has no `default`, so that a new state or trigger does not compile until somebody has thought about each pair.
//
// Three kinds of answers:
// - the order moves on, with effects for the store to carry out in the same transaction;
// - the order stays and something is written into its timeline. These are the races that the choreography allows: a charge that was under
//   way when the order was cancelled (payment-service gives it back by itself), or the loss of a reservation that is told when the order
//   has moved on already;
// - `ImpossibleTransition`. For a person's request it is a 409; for an event it means that a service contradicts itself, and the event is
//   parked as a dead letter for somebody to look at.
//
// A request for what is so already (cancel a cancelled order, ship a shipped one) is granted without any effect: it is how a client
// that lost the first answer asks again.

/// What a transition leads to.
struct OrderTransition: Sendable, Hashable {
    let status: OrderStatus
    let effects: [OrderEffect]
}

/// What the store does beside changing the status, in this order and in the same transaction.
enum OrderEffect: Sendable, Hashable {
    /// Write into the timeline what happened. The entry carries the new status.
    case record(reason: String?)
    case announcePaid
    case announceCancelled(CancellationReason)
    case announceShipped
    case announceDelivered
    case announceRefunded
}

/// A trigger that an order in this state does not know.
struct ImpossibleTransition: Error, Sendable, Hashable, CustomStringConvertible {
    let status: OrderStatus
    let trigger: OrderTrigger

    var description: String { "an order that is \(status.rawValue) cannot take \(trigger.name)" }
}

extension OrderStatus {
    /// What becomes of an order in this state.
    ///
    /// - Throws: `ImpossibleTransition` when it cannot be.
    func transition(on trigger: OrderTrigger) throws(ImpossibleTransition) -> OrderTransition {
        switch (self, trigger) {
        // Payment
        case (.pending, .paymentCaptured):
            return .to(.paid, .announcePaid)
        case (.pending, .paymentFailed(let reason)):
            return .to(.cancelled, because: reason, .announceCancelled(.paymentFailed))
        case (.cancelled, .paymentCaptured):
            return .stay(.cancelled, "The payment came after the cancellation and is given back")
        case (.cancelled, .paymentFailed(let reason)):
            return .stay(.cancelled, reason)

        // Refunds
        case (.paid, .refundedInPart(let amount)), (.shipped, .refundedInPart(let amount)), (.delivered, .refundedInPart(let amount)),
            (.cancelled, .refundedInPart(let amount)):
            return .stay(self, "\(amount) refunded")
        case (.cancelled, .refundedWhole(let amount)):
            return .stay(.cancelled, "\(amount) refunded")
        case (.paid, .refundedWhole(let amount)), (.shipped, .refundedWhole(let amount)), (.delivered, .refundedWhole(let amount)):
            return .to(.refunded, because: "\(amount) refunded", .announceRefunded)

        // Chargebacks: what has not left the shop stays here; what has is a person's business
        case (.paid, .chargedBack):
            return .to(.cancelled, because: "The payment was charged back", .announceCancelled(.chargedBack))
        case (.shipped, .chargedBack(let amount)), (.delivered, .chargedBack(let amount)), (.cancelled, .chargedBack(let amount)),
            (.refunded, .chargedBack(let amount)):
            return .stay(self, "\(amount) charged back")
        case (.paid, .chargebackReversed(let amount)), (.shipped, .chargebackReversed(let amount)),
            (.delivered, .chargebackReversed(let amount)), (.cancelled, .chargebackReversed(let amount)),
            (.refunded, .chargebackReversed(let amount)):
            return .stay(self, "The chargeback of \(amount) was reversed")

        // Stock
        case (.paid, .reservationLost):
            return .to(.cancelled, because: "Out of stock", .announceCancelled(.outOfStock))
        case (.cancelled, .reservationLost), (.refunded, .reservationLost):
            return .stay(self, "The reservation had ended before the payment, and the stock was short")

        // Time
        case (.pending, .deadlinePassed):
            return .to(.cancelled, because: "Not paid in time", .announceCancelled(.deadlinePassed))

        // People
        case (.pending, .cancel), (.paid, .cancel):
            return .to(.cancelled, because: "Cancelled on request", .announceCancelled(.requested))
        case (.paid, .ship):
            return .to(.shipped, .announceShipped)
        case (.shipped, .deliver):
            return .to(.delivered, .announceDelivered)
        case (.cancelled, .cancel), (.shipped, .ship), (.delivered, .deliver):
            return OrderTransition(status: self, effects: [])

        case (.pending, .refundedInPart), (.pending, .refundedWhole), (.pending, .chargedBack), (.pending, .chargebackReversed),
            (.pending, .reservationLost), (.pending, .ship), (.pending, .deliver),
            (.paid, .paymentCaptured), (.paid, .paymentFailed), (.paid, .deadlinePassed), (.paid, .deliver),
            (.shipped, .paymentCaptured), (.shipped, .paymentFailed), (.shipped, .deadlinePassed), (.shipped, .cancel),
            (.shipped, .reservationLost), (.delivered, .reservationLost),
            (.delivered, .paymentCaptured), (.delivered, .paymentFailed), (.delivered, .deadlinePassed), (.delivered, .cancel),
            (.delivered, .ship),
            (.cancelled, .deadlinePassed), (.cancelled, .ship), (.cancelled, .deliver),
            (.refunded, .paymentCaptured), (.refunded, .paymentFailed), (.refunded, .refundedInPart), (.refunded, .refundedWhole),
            (.refunded, .deadlinePassed), (.refunded, .cancel), (.refunded, .ship), (.refunded, .deliver):
            throw ImpossibleTransition(status: self, trigger: trigger)
        }
    }

    /// Whether the customer need not wait for anything more. A delivered order can still be refunded.
    var isFinal: Bool {
        switch self {
        case .delivered, .cancelled, .refunded: true
        case .pending, .paid, .shipped: false
        }
    }
}

extension OrderTransition {
    fileprivate static func to(_ status: OrderStatus, because reason: String? = nil, _ announcement: OrderEffect) -> OrderTransition {
        OrderTransition(status: status, effects: [.record(reason: reason), announcement])
    }

    fileprivate static func stay(_ status: OrderStatus, _ reason: String) -> OrderTransition {
        OrderTransition(status: status, effects: [.record(reason: reason)])
    }
}
