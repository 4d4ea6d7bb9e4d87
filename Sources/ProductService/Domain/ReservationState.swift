import Commerce

// The life of a reservation.
//
//            ┌─ paid ───────────▶ committed ─ cancelled, refunded ─▶ returned
//            │                        └────── shipped ─────────────▶ (committed for good)
//            │
//   held ────┼─ cancelled ──────▶ cancelled
//            │
//            ├─ given up ───────▶ released ─┐
//            │                              ├─ paid ─▶ committed, or lost when the pieces are gone
//            └─ lease ended ────▶ expired ──┘
//
// A reservation is a lease on pieces of stock: `held` pieces are promised but not sold. It ends by itself, so that an order that was never
// stored costs nothing for ever. What happens to the order decides the rest. Whatever repeats finds the state that its first time left and
// changes nothing: this, and not a list of seen messages, is what makes each event take effect once here.
//
// `returned`, `cancelled` and `lost` are final: their order is over, and a payment that is told afterwards (a parked event that somebody
// replays) must not take pieces for it. A `released` or `expired` lease may still belong to an order that gets paid.

/// Where a reservation stands.
enum ReservationState: String, Sendable, CaseIterable {
    /// Its pieces are promised.
    case held
    /// Its pieces are sold.
    case committed
    /// Its pieces were sold and are back on the shelf.
    case returned
    /// Given up by who asked for it: there is no order.
    case released
    /// Its time was over.
    case expired
    /// Its order was cancelled before it was paid.
    case cancelled
    /// Its order was paid when its pieces were gone.
    case lost

    /// Whether asking again for the same reservation finds it standing.
    var stands: Bool { self == .held || self == .committed }

    /// Whether it has come to its end, as far as the state tells: see `ReservationStore+Retention`.
    var isOver: Bool {
        switch self {
        case .returned, .released, .expired, .cancelled: true
        case .held, .committed, .lost: false
        }
    }
}

/// What can happen to a reservation.
enum ReservationEvent: Sendable, Hashable {
    /// Its order is paid.
    case orderPaid(OrderID)
    /// Its order is off before anything was shipped: cancelled, or refunded.
    case orderUndone(OrderID)
    /// Its order has left the shop.
    case orderShipped(OrderID)
    /// Who asked for it could not store an order.
    case givenUp
    /// Its time is over.
    case leaseEnded

    /// The order that it is about.
    var orderID: OrderID? {
        switch self {
        case .orderPaid(let order), .orderUndone(let order), .orderShipped(let order): order
        case .givenUp, .leaseEnded: nil
        }
    }
}

/// What an event does to a reservation, and to the stock of its lines.
enum ReservationTransition: Sendable, Hashable {
    /// The event has had its effect already, or has none any more.
    case none
    /// Promised pieces are free again.
    case release(then: ReservationState)
    /// Promised pieces leave the shelf.
    case sell
    /// Free pieces leave the shelf for a paid order, all or none; none makes the reservation `lost`.
    case sellAgain(for: OrderID)
    /// Sold pieces come back.
    case takeBack
    /// Only the state changes.
    case close(ReservationState)
    /// Nothing changes, now or later.
    case finish
    /// Pieces that are sold cannot be given up.
    case refuse
}

extension ReservationState {
    /// What `event` does to a reservation in this state: the whole table.
    func transition(on event: ReservationEvent) -> ReservationTransition {
        switch (self, event) {
        case (.held, .orderPaid): .sell
        case (.held, .orderUndone): .release(then: .cancelled)
        case (.held, .givenUp): .release(then: .released)
        case (.held, .leaseEnded): .release(then: .expired)

        case (.committed, .orderUndone): .takeBack
        case (.committed, .orderShipped): .finish
        case (.committed, .givenUp): .refuse
        case (.committed, .orderPaid), (.committed, .leaseEnded): .none

        case (.released, .orderPaid(let order)), (.expired, .orderPaid(let order)): .sellAgain(for: order)
        case (.released, .orderUndone), (.expired, .orderUndone): .close(.cancelled)
        case (.released, .givenUp), (.released, .leaseEnded), (.expired, .givenUp), (.expired, .leaseEnded): .none

        // Orders are paid before they are shipped: the event that says so is parked, and may yet be replayed.
        case (.held, .orderShipped), (.released, .orderShipped), (.expired, .orderShipped): .none

        case (.lost, .orderUndone), (.lost, .orderShipped): .finish
        case (.returned, _), (.cancelled, _), (.lost, _): .none
        }
    }
}
