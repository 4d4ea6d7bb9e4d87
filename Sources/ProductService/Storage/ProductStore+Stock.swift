import Chassis
import ChassisStorage
import Commerce

// Pieces that are put on the shelf or taken from it by hand. Each change is one conditional UPDATE, whose condition and not a check before
// it decides, and one movement. Pieces that are promised to orders are not there to be taken.

extension ProductStore {
    /// Takes free pieces from the shelf.
    ///
    /// - Throws: ``ProductError``: `notFound`, `insufficientStock`.
    func withdraw(_ withdrawal: StockWithdrawal, from id: ProductID, in transaction: Transaction) throws -> Product {
        let quantity = withdrawal.quantity.rawValue
        let product = try transaction.first(
            """
            UPDATE products SET on_hand = on_hand - \(quantity)
            WHERE id = \(id) AND archived_at IS NULL AND on_hand - reserved >= \(quantity)
            RETURNING \(Product.returned)
            """, Product.init)
        guard let product else {
            throw ProductError.insufficientStock(available: try Self.product(id, in: transaction).available)
        }
        let movement = MovementEntry(kind: withdrawal.kind, delta: -quantity, reason: withdrawal.reason)
        try record(movement, of: id, balance: product.onHand, in: transaction)
        announceChange(in: transaction)
        return product
    }

    /// Puts pieces on the shelf.
    ///
    /// - Throws: ``ProductError``: `notFound`, `tooManyPieces`.
    func restock(_ restocking: Restocking, of id: ProductID, in transaction: Transaction) throws -> Product {
        let quantity = restocking.quantity.rawValue
        let product = try transaction.first(
            """
            UPDATE products SET on_hand = on_hand + \(quantity)
            WHERE id = \(id) AND archived_at IS NULL AND on_hand <= \(Self.mostOnHand - quantity)
            RETURNING \(Product.returned)
            """, Product.init)
        guard let product else {
            _ = try Self.product(id, in: transaction)
            throw ProductError.tooManyPieces
        }
        let movement = MovementEntry(kind: .received, delta: quantity, reason: restocking.reason)
        try record(movement, of: id, balance: product.onHand, in: transaction)
        announceChange(in: transaction)
        return product
    }

    /// The most pieces of one product: far more than a shelf has, and far less than 64 bits.
    static let mostOnHand: Int64 = 1_000_000_000_000

    /// What happened to a product's stock, newest first. Those of archived products too.
    ///
    /// - Throws: ``ProductError/notFound`` when there never was such a product.
    func movements(of id: ProductID, limit: Int, before: Int64?) async throws -> Page<StockMovement> {
        let rows = try await database.read { transaction in
            guard try transaction.value("SELECT id FROM products WHERE id = \(id)", as: Int64.self) != nil else {
                throw ProductError.notFound
            }
            return try transaction.all(
                """
                SELECT id, product_id, kind, delta, balance, reason, order_id, at FROM stock_movements
                WHERE product_id = \(id) AND id < \(before ?? Int64.max) ORDER BY id DESC LIMIT \(limit + 1)
                """, StockMovement.init)
        }
        return Page(rows: rows, limit: limit) { String($0.id) }
    }

    /// Writes a movement into the ledger.
    func record(_ movement: MovementEntry, of id: ProductID, balance: Int64, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO stock_movements (product_id, kind, delta, balance, reason, order_id, at)
            VALUES (\(id), \(movement.kind), \(movement.delta), \(balance), \(movement.reason), \(movement.orderID), \(time.now))
            """)
    }
}

/// A movement that is about to be written.
struct MovementEntry {
    let kind: StockMovement.Kind
    let delta: Int64
    var reason: String?
    var orderID: OrderID?
}

extension StockMovement {
    init(_ row: Row) throws {
        id = try row["id"]
        productID = try row["product_id"]
        kind = try row["kind"]
        delta = try row["delta"]
        balance = try row["balance"]
        reason = try row["reason"]
        orderID = try row["order_id"]
        at = try row["at"]
    }
}
