import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

// Everything that happens to an order is written here, in the one transaction of the request, event or sweep that causes it: the new
// status, the timeline, the events that tell the others. A crash leaves all of it or nothing.

/// Writes orders. Its functions run inside a transaction that the caller owns; `OrderStore+Reading` has the queries.
struct OrderStore: Sendable {
    let outbox: Outbox
    /// Told of every order that changes, once it is committed.
    let changes: OrderChanges
    /// How long an order may wait for its payment.
    let paymentWindow: Duration
    let now: @Sendable () -> Timestamp

    // MARK: Placing

    /// Stores a new order with its lines, the beginning of its history, and the event.
    ///
    /// - Throws: `OrderError.keyUsedBefore` when an order has this reservation already, `.userErased`; `StorageError`.
    func place(_ order: PricedOrder, in transaction: Transaction) throws -> Order {
        guard try !isErased(order.userID, in: transaction) else { throw OrderError.userErased }
        let now = now()
        let address = try order.shippingAddress.map { try JSON.text($0) }
        let id: OrderID? = try transaction.value(
            """
            INSERT INTO orders (user_id, status, total, currency, payment_method, shipping_address, reservation_id, created_at, pay_by,
                timeline_length)
            VALUES (\(order.userID), \(OrderStatus.pending), \(order.total.minorUnits), \(order.total.currency.code), \(order.paymentMethod),
                \(address), \(order.reservationID), \(now), \(now + paymentWindow), 1)
            ON CONFLICT (reservation_id) DO NOTHING RETURNING id
            """)
        guard let id else { throw OrderError.keyUsedBefore }
        try insert(order.lines, of: id, in: transaction)
        try insert(TimelineEntry(sequence: 1, status: .pending, at: now, reason: nil, changesStatus: true), of: id, in: transaction)
        try outbox.append(
            OrderPlaced(orderID: id, userID: order.userID, lines: order.lines, total: order.total, paymentMethod: order.paymentMethod),
            in: transaction)
        return Order(
            id: id, userID: order.userID, lines: order.lines, total: order.total, paymentMethod: order.paymentMethod,
            shippingAddress: order.shippingAddress, reservationID: order.reservationID, createdAt: now, status: .pending,
            payment: .none(order.total.currency), timelineLength: 1)
    }

    /// An order that may wait for its payment longer than any was stored by a clock that has been set back since: its time begins anew.
    func shortenWaits(in transaction: Transaction) throws {
        let latest = now() + paymentWindow
        try transaction.execute("UPDATE orders SET pay_by = \(latest) WHERE status = 'pending' AND pay_by > \(latest)")
    }

    private func insert(_ lines: [OrderLine], of id: OrderID, in transaction: Transaction) throws {
        let rows: [SQL] = lines.enumerated().map { position, line in
            "(\(id), \(position), \(line.productID), \(line.name), \(line.unitPrice.minorUnits), \(line.quantity.rawValue))"
        }
        try transaction.execute(
            "INSERT INTO order_lines (order_id, position, product_id, name, unit_price, quantity) VALUES \(rows.joined(separator: ", "))")
    }

    private func insert(_ entry: TimelineEntry, of id: OrderID, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO order_timeline (order_id, sequence, status, at, reason, changes_status)
            VALUES (\(id), \(entry.sequence), \(entry.status), \(entry.at), \(entry.reason), \(entry.changesStatus))
            """)
    }

    // MARK: Changing

    /// Applies a trigger to an order that was read with `lockedOrder` in this transaction: the status, the timeline, the events. What the
    /// caller has changed of `order.payment` is stored with it. A trigger without effects stores nothing.
    ///
    /// - Throws: `ImpossibleTransition`; `StorageError`.
    @discardableResult
    func apply(_ trigger: OrderTrigger, to order: Order, in transaction: Transaction) throws -> Order {
        let transition = try order.status.transition(on: trigger)
        var changed = order
        changed.status = transition.status
        for effect in transition.effects {
            if case .record(let reason) = effect {
                changed.timelineLength += 1
                let entry = TimelineEntry(
                    sequence: changed.timelineLength, status: changed.status, at: now(), reason: reason,
                    changesStatus: changed.status != order.status)
                try insert(entry, of: order.id, in: transaction)
            } else {
                try announce(effect, of: order, in: transaction)
            }
        }
        if !transition.effects.isEmpty { try update(changed, in: transaction) }
        return changed
    }

    /// Writes what can change of an order.
    private func update(_ order: Order, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE orders SET status = \(order.status), timeline_length = \(order.timelineLength), payment_id = \(order.payment.paymentID),
                captured = \(order.payment.captured.minorUnits), refunded = \(order.payment.refunded.minorUnits),
                charged_back = \(order.payment.chargedBack.minorUnits), chargeback_reversed = \(order.payment.chargebackReversed.minorUnits),
                payment_failure = \(order.payment.failureReason)
            WHERE id = \(order.id)
            """)
        transaction.afterCommit { [changes] in changes.announce(order.id) }
    }

    /// - Parameter order: as it was before.
    private func announce(_ effect: OrderEffect, of order: Order, in transaction: Transaction) throws {
        switch effect {
        case .record: break
        case .announcePaid:
            try outbox.append(
                OrderPaid(
                    orderID: order.id, userID: order.userID, reservationID: order.reservationID, lines: order.lines, total: order.total),
                in: transaction)
        case .announceCancelled(let reason):
            try outbox.append(
                OrderCancelled(
                    orderID: order.id, userID: order.userID, reservationID: order.reservationID, total: order.total, reason: reason,
                    previousStatus: order.status),
                in: transaction)
        case .announceShipped:
            try outbox.append(OrderShipped(orderID: order.id, userID: order.userID, reservationID: order.reservationID), in: transaction)
        case .announceDelivered:
            try outbox.append(OrderDelivered(orderID: order.id, userID: order.userID), in: transaction)
        case .announceRefunded:
            try outbox.append(
                OrderRefunded(
                    orderID: order.id, userID: order.userID, reservationID: order.reservationID, total: order.total,
                    previousStatus: order.status),
                in: transaction)
        }
    }

    // MARK: Forgetting

    /// Removes the personal data of a user from their orders, and lets none be placed any more: an access token outlives its account by minutes,
    /// and an order placed then would keep an address that nobody comes to remove. The orders stay: they are the shop's books.
    func erase(_ userID: UserID, in transaction: Transaction) throws {
        try transaction.execute(
            "INSERT INTO erased_users (user_id, erased_at) VALUES (\(userID), \(now())) ON CONFLICT (user_id) DO NOTHING")
        try transaction.execute("UPDATE orders SET shipping_address = NULL WHERE user_id = \(userID) AND shipping_address IS NOT NULL")
    }

    private func isErased(_ userID: UserID, in transaction: Transaction) throws -> Bool {
        try transaction.value("SELECT 1 FROM erased_users WHERE user_id = \(userID)", as: Int64.self) != nil
    }
}
