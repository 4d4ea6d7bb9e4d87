import ChassisEvents
import Contracts

// What orders mean for stock. Each event is applied in the transaction that moves this service's position in order-service's feed, and
// only as far as the reservation's state allows (`ReservationState`): the same event again changes nothing.
//
// An event about a reservation that was never made here means that data was lost. It throws: the event is tried again, then parked where
// an operator sees it, instead of selling or returning pieces that nobody can account for.

/// What product-service does about the events of order-service.
struct OrderEvents: Sendable {
    let reservations: ReservationStore

    var consumer: Consumer {
        Consumer(
            of: .orders,
            handlers: [
                .on(OrderPaid.self) { event, _, transaction in
                    try reservations.apply(.orderPaid(event.orderID), to: event.reservationID, in: transaction)
                },
                .on(OrderShipped.self) { event, _, transaction in
                    try reservations.apply(.orderShipped(event.orderID), to: event.reservationID, in: transaction)
                },
                .on(OrderCancelled.self) { event, _, transaction in
                    try reservations.apply(.orderUndone(event.orderID), to: event.reservationID, in: transaction)
                },
                .on(OrderRefunded.self) { event, _, transaction in
                    // What was shipped is with the customer; should it come back, somebody restocks it by hand.
                    guard event.previousStatus == .paid else { return }
                    try reservations.apply(.orderUndone(event.orderID), to: event.reservationID, in: transaction)
                },
            ])
    }
}
