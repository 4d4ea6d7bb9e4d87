import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

// How reservations end. What happens is decided by the table in `ReservationState`; here it is carried out.
//
// The order of each ending is: read the state, decide, change the state on condition that it is still the one that was read, then move the
// pieces. The conditional change locks the row, so of two that end a reservation at the same moment one finds the condition broken, reads
// again and decides anew. On SQLite, which has one writer, the condition always holds.

extension ReservationStore {
    /// How often a reservation is read again when others change it at the same moment.
    private static let attempts = 5

    /// Carries out what an event means for a reservation. The same event again changes nothing.
    ///
    /// When a paid order's lease had ended and its pieces cannot be had again, it writes ``ReservationLost`` into the outbox.
    ///
    /// - Throws: ``ReservationError``: `unknown` when no such reservation was ever made, or it is trimmed; `alreadySold`, `contended`.
    func apply(_ event: ReservationEvent, to id: String, in transaction: Transaction) throws {
        for _ in 0..<Self.attempts {
            let found = try transaction.first("SELECT number, state FROM reservations WHERE id = \(id)") { row in
                Step(id: id, number: try row["number"], from: try row["state"], order: event.orderID)
            }
            guard let found else { throw ReservationError.unknown(id) }
            if try carryOut(found.from.transition(on: event), found, in: transaction) { return }
        }
        throw ReservationError.contended(id)
    }

    /// Sells the pieces of a paid order that is about to leave the shop, as the event of its payment does: whichever comes first counts.
    ///
    /// - Returns: whether they are sold; if not, they were given back, or are gone since the lease had ended.
    /// - Throws: ``ReservationError``: `unknown`, `contended`.
    func commit(_ id: String, for order: OrderID) async throws -> Bool {
        try await database.write { transaction in
            try apply(.orderPaid(order), to: id, in: transaction)
            let state = try transaction.value("SELECT state FROM reservations WHERE id = \(id)", as: ReservationState.self)
            return state == .committed
        }
    }

    /// Releases a reservation for which no order was stored. Doing it twice is doing it once.
    ///
    /// - Throws: ``ReservationError``: `unknown`, `alreadySold`.
    func giveUp(_ id: String) async throws {
        try await database.write { try apply(.givenUp, to: id, in: $0) }
    }

    /// Ends leases whose time is over, the oldest first. One that would last longer than any lease was made by a clock that has been set back
    /// since: it begins anew.
    ///
    /// - Parameter limit: the most of one transaction: while it lasts, nobody else writes.
    /// - Returns: how many were ended; less than `limit` when none is left.
    func expireLeases(atMost limit: Int) async throws -> Int {
        try await database.write { transaction in
            let now = time.now
            try transaction.execute(
                """
                UPDATE reservations SET expires_at = \(now + lease), created_at = CASE WHEN created_at > \(now) THEN \(now) ELSE created_at END
                WHERE state = 'held' AND expires_at > \(now + lease)
                """)
            let due = try transaction.all(
                """
                SELECT number, id, state FROM reservations WHERE state = 'held' AND expires_at <= \(now)
                ORDER BY expires_at LIMIT \(limit)
                """
            ) { Step(id: try $0["id"], number: try $0["number"], from: try $0["state"], order: nil) }
            // One that was ended meanwhile is somebody else's.
            for step in due { _ = try carryOut(step.from.transition(on: .leaseEnded), step, in: transaction) }
            return due.count
        }
    }

    /// How many leases stand, for `/internal/status`. It counts the entries of the partial index, not the table.
    static let heldCounter = StatusCounter("reservationsHeld") { transaction in
        try transaction.value("SELECT count(*) FROM reservations WHERE state = 'held'") ?? 0
    }

    /// One attempt to end one reservation.
    private struct Step {
        let id: String
        let number: Int64
        let from: ReservationState
        /// Whose pieces they are; nil while there is no order.
        let order: OrderID?
    }

    private struct Line {
        let product: ProductID
        let quantity: Int64
    }

    /// False when the reservation is no longer in the state that was read.
    private func carryOut(_ transition: ReservationTransition, _ step: Step, in transaction: Transaction) throws -> Bool {
        switch transition {
        case .none:
            return true
        case .refuse:
            throw ReservationError.alreadySold(step.id)
        case .close(let state):
            return try move(step, to: state, in: transaction)
        case .finish:
            return try finish(step, in: transaction)
        case .release(let state):
            guard try move(step, to: state, in: transaction) else { return false }
            try release(step, in: transaction)
            products.announceChange(in: transaction)
        case .sell:
            // What can be bought stays the same: the pieces were promised already. So the catalog has not changed.
            guard try move(step, to: .committed, in: transaction) else { return false }
            try sell(step, in: transaction)
        case .takeBack:
            guard try move(step, to: .returned, in: transaction) else { return false }
            try takeBack(step, in: transaction)
            products.announceChange(in: transaction)
        case .sellAgain(let order):
            return try sellAgain(step, for: order, in: transaction)
        }
        return true
    }

    private func move(_ step: Step, to state: ReservationState, in transaction: Transaction) throws -> Bool {
        let end = state.isOver ? time.now : nil
        return try transaction.execute(
            """
            UPDATE reservations SET state = \(state), order_id = \(step.order), ended_at = \(end)
            WHERE number = \(step.number) AND state = \(step.from)
            """) == 1
    }

    /// The end of one that stays as it is; the first time counts.
    private func finish(_ step: Step, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE reservations SET ended_at = COALESCE(ended_at, \(time.now)) WHERE number = \(step.number) AND state = \(step.from)
            """) == 1
    }

    private func lines(of step: Step, in transaction: Transaction) throws -> [Line] {
        try transaction.all(
            "SELECT product_id, quantity FROM reservation_lines WHERE reservation = \(step.number) ORDER BY product_id"
        ) { Line(product: try $0["product_id"], quantity: try $0["quantity"]) }
    }
}

// MARK: - What happens to the pieces

extension ReservationStore {
    private func release(_ step: Step, in transaction: Transaction) throws {
        for line in try lines(of: step, in: transaction) {
            try transaction.execute("UPDATE products SET reserved = reserved - \(line.quantity) WHERE id = \(line.product)")
        }
    }

    private func sell(_ step: Step, in transaction: Transaction) throws {
        for line in try lines(of: step, in: transaction) {
            let onHand = try transaction.value(
                """
                UPDATE products SET on_hand = on_hand - \(line.quantity), reserved = reserved - \(line.quantity)
                WHERE id = \(line.product) RETURNING on_hand
                """, as: Int64.self)
            try record(.reservationCommitted, -line.quantity, line, onHand, step, in: transaction)
        }
    }

    private func takeBack(_ step: Step, in transaction: Transaction) throws {
        for line in try lines(of: step, in: transaction) {
            let onHand = try transaction.value(
                "UPDATE products SET on_hand = on_hand + \(line.quantity) WHERE id = \(line.product) RETURNING on_hand", as: Int64.self)
            try record(.returned, line.quantity, line, onHand, step, in: transaction)
        }
    }

    private func record(
        _ kind: StockMovement.Kind, _ delta: Int64, _ line: Line, _ onHand: Int64?, _ step: Step, in transaction: Transaction
    ) throws {
        guard let onHand else { throw StorageError.misuse("a reserved product has no row") }
        let entry = MovementEntry(kind: kind, delta: delta, orderID: step.order)
        try products.record(entry, of: line.product, balance: onHand, in: transaction)
    }

    /// Sells free pieces for a lease that had ended before its order was paid; without enough of them says that the order is lost.
    ///
    /// That a product was archived meanwhile is no hindrance: the customer bought it before.
    private func sellAgain(_ step: Step, for order: OrderID, in transaction: Transaction) throws -> Bool {
        do {
            return try transaction.savepoint {
                guard try move(step, to: .committed, in: transaction) else { return false }
                for line in try lines(of: step, in: transaction) { try sellFree(line, step, in: transaction) }
                products.announceChange(in: transaction)
                return true
            }
        } catch let shortage as Shortage {
            guard try move(step, to: .lost, in: transaction) else { return false }
            try outbox.append(ReservationLost(orderID: order, reservationID: step.id, productID: shortage.product), in: transaction)
            return true
        }
    }

    private struct Shortage: Error {
        let product: ProductID
    }

    private func sellFree(_ line: Line, _ step: Step, in transaction: Transaction) throws {
        let onHand = try transaction.value(
            """
            UPDATE products SET on_hand = on_hand - \(line.quantity)
            WHERE id = \(line.product) AND on_hand - reserved >= \(line.quantity) RETURNING on_hand
            """, as: Int64.self)
        guard let onHand else { throw Shortage(product: line.product) }
        try record(.reservationCommitted, -line.quantity, line, onHand, step, in: transaction)
    }
}
