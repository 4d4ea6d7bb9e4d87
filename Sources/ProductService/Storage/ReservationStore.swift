import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

// Reservations in the database: the part of the checkout that many customers need at the same moment.
//
// A batch is one transaction. Each reservation of it stands or falls alone, in a savepoint, and all or none of its lines are held. A line
// is held by one conditional UPDATE: the database checks the free pieces and takes them in one step, so there is no moment between a check
// and its effect, whatever else runs. `CHECK (reserved <= on_hand)` says the same once more for every other statement.
//
// A reservation of one line is three statements: the reservation, the pieces, the line. The first is an INSERT that does nothing when the id
// is known; only then the stored reservation is read and compared. Asking twice is asking once, also for two requests at the same time.
//
// Rows are always locked in the order of product ids. Where transactions run side by side (Postgres) two batches that want the same
// products in different orders would else wait for each other; so a batch first locks the products of all its reservations.
//
// What a crash leaves: a batch is there or it is not. Should its answer be lost, the caller asks again under the same ids; should the caller
// be gone, the leases end by themselves (`ReservationStore+Endings`).

struct ReservationStore: Sendable {
    let database: Database
    let products: ProductStore
    let outbox: Outbox
    let time: TimeSource
    /// How long a reservation is held before it ends by itself.
    let lease: Duration

    /// - Parameter lease: positive, in whole milliseconds.
    init(database: Database, products: ProductStore, outbox: Outbox, time: TimeSource, lease: Duration) {
        precondition(lease >= .milliseconds(1))
        self.database = database
        self.products = products
        self.outbox = outbox
        self.time = time
        self.lease = lease
    }

    /// Makes the reservations of a batch, each all or nothing, and tells what became of each.
    ///
    /// The lines of a request must name each product once.
    func reserve(_ requests: [ReservationRequest]) async throws -> [ReservationOutcome] {
        try await database.write { transaction in
            try lockProducts(of: requests, in: transaction)
            let outcomes = try requests.map { try reserve($0, in: transaction) }
            if outcomes.contains(where: \.isReserved) { products.announceChange(in: transaction) }
            return outcomes
        }
    }

    private func reserve(_ request: ReservationRequest, in transaction: Transaction) throws -> ReservationOutcome {
        do {
            return try transaction.savepoint {
                let now = time.now
                let expiresAt = now + lease
                guard let number = try insert(request.id, now: now, expiresAt: expiresAt, in: transaction) else {
                    return try repeated(request, in: transaction)
                }
                return .reserved(lines: try hold(request, as: number, in: transaction), expiresAt: expiresAt)
            }
        } catch let refusal as Refusal {
            return refusal.outcome
        }
    }

    /// Ends a savepoint without an effect.
    private struct Refusal: Error {
        let outcome: ReservationOutcome
    }

    /// The new reservation's number; nil when the id is known.
    private func insert(_ id: String, now: Timestamp, expiresAt: Timestamp, in transaction: Transaction) throws -> Int64? {
        try transaction.value(
            """
            INSERT INTO reservations (id, state, expires_at, created_at) VALUES (\(id), 'held', \(expiresAt), \(now))
            ON CONFLICT (id) DO NOTHING RETURNING number
            """)
    }

    /// Holds the pieces of all lines. The answer has the lines in the request's order; the rows are locked by product id.
    private func hold(_ request: ReservationRequest, as number: Int64, in transaction: Transaction) throws -> [ReservedLine] {
        if request.lines.count == 1 { return try request.lines.map { try hold($0, of: number, in: transaction) } }
        var held: [ProductID: ReservedLine] = [:]
        for line in request.lines.sorted(by: { $0.productID < $1.productID }) {
            held[line.productID] = try hold(line, of: number, in: transaction)
        }
        return request.lines.compactMap { held[$0.productID] }
    }

    private func hold(_ line: ReservationLine, of number: Int64, in transaction: Transaction) throws -> ReservedLine {
        let quantity = line.quantity.rawValue
        let held = try transaction.first(
            """
            UPDATE products SET reserved = reserved + \(quantity)
            WHERE id = \(line.productID) AND archived_at IS NULL AND on_hand - reserved >= \(quantity)
            RETURNING price, currency, name
            """
        ) { row in
            ReservedLine(
                productID: line.productID, name: try row["name"], unitPrice: try Money(row, amount: "price"), quantity: line.quantity)
        }
        guard let held else { throw Refusal(outcome: try shortage(of: line.productID, in: transaction)) }
        try transaction.execute(
            """
            INSERT INTO reservation_lines (reservation, product_id, quantity, unit_price, currency, name)
            VALUES (\(number), \(line.productID), \(quantity), \(held.unitPrice.minorUnits), \(held.unitPrice.currency.code), \(held.name))
            """)
        return held
    }

    private func shortage(of product: ProductID, in transaction: Transaction) throws -> ReservationOutcome {
        let available = try transaction.value(
            "SELECT on_hand - reserved FROM products WHERE id = \(product) AND archived_at IS NULL", as: Int64.self)
        guard let available else { return .unknownProduct(product) }
        return .insufficientStock(product, available: available)
    }

    // MARK: Asking again

    /// The answer for an id that is known: the same as the first time while the reservation stands.
    ///
    /// A lease whose time is over stands until it is swept: nobody else has its pieces.
    private func repeated(_ request: ReservationRequest, in transaction: Transaction) throws -> ReservationOutcome {
        let stored = try transaction.first("SELECT number, state, expires_at FROM reservations WHERE id = \(request.id)") { row in
            (number: try row["number"] as Int64, state: try row["state"] as ReservationState, expiresAt: try row["expires_at"] as Timestamp)
        }
        guard let stored else { throw ReservationError.contended(request.id) }
        let lines = try reservedLines(of: stored.number, in: transaction)
        let wanted = Dictionary(request.lines.map { ($0.productID, $0.quantity) }) { first, _ in first }
        guard wanted == lines.mapValues(\.quantity) else { return .mismatch }
        guard stored.state.stands else { return .ended }
        return .reserved(lines: request.lines.compactMap { lines[$0.productID] }, expiresAt: stored.expiresAt)
    }

    private func reservedLines(of number: Int64, in transaction: Transaction) throws -> [ProductID: ReservedLine] {
        let lines = try transaction.all(
            "SELECT product_id, quantity, unit_price, currency, name FROM reservation_lines WHERE reservation = \(number)"
        ) { row in
            guard let quantity = Quantity(rawValue: try row["quantity"]) else { throw StorageError.conversion("found no quantity") }
            return ReservedLine(
                productID: try row["product_id"], name: try row["name"], unitPrice: try Money(row, amount: "unit_price"), quantity: quantity
            )
        }
        return Dictionary(lines.map { ($0.productID, $0) }) { first, _ in first }
    }

    /// Takes the row locks of a batch in one order. SQLite has one writer and needs none.
    private func lockProducts(of requests: [ReservationRequest], in transaction: Transaction) throws {
        guard transaction.dialect == .postgres else { return }
        let ids = Set(requests.lazy.flatMap(\.lines).map(\.productID)).sorted()
        _ = try transaction.all("SELECT id FROM products WHERE id IN \(list: ids) ORDER BY id FOR UPDATE") { try $0["id"] as ProductID }
    }
}

extension ReservationOutcome {
    fileprivate var isReserved: Bool {
        if case .reserved = self { true } else { false }
    }
}
