import Chassis
import ChassisStorage
import Commerce

/// The catalog in the database: reading and writing what products are. Their stock is in `ProductStore+Stock`.
///
/// Methods that take a `Transaction` are for callers that have more to do in it. All of them tell `version` of a change once it is
/// committed.
struct ProductStore: Sendable {
    let database: Database
    let time: TimeSource
    /// Advances with every commit that changes what a visitor sees.
    let version: CatalogVersion

    init(database: Database, time: TimeSource, version: CatalogVersion = CatalogVersion()) {
        self.database = database
        self.time = time
        self.version = version
    }

    /// A product that is for sale.
    ///
    /// - Throws: ``ProductError/notFound``.
    func product(_ id: ProductID) async throws -> Product {
        try await database.read { try Self.product(id, in: $0) }
    }

    static func product(_ id: ProductID, in transaction: Transaction) throws -> Product {
        let product = try transaction.first(
            "SELECT \(Product.columns) FROM products p WHERE p.id = \(id) AND p.archived_at IS NULL", Product.init)
        guard let product else { throw ProductError.notFound }
        return product
    }

    // MARK: Changing

    /// Adds a product. Its first pieces are its first movement.
    func add(_ new: NewProduct, in transaction: Transaction) throws -> Product {
        let now = time.now
        let details = new.details
        let product = try transaction.first(
            """
            INSERT INTO products
                (on_hand, price, currency, price_thousandths, name, name_key, category, category_key, description, created_at, updated_at)
            VALUES
                (\(new.stock), \(details.price.minorUnits), \(details.price.currency.code), \(ComparablePrice(details.price).thousandths),
                \(details.name), \(CatalogKey.key(of: details.name)), \(details.category), \(CatalogKey.key(of: details.category)),
                \(details.description), \(now), \(now))
            RETURNING \(Product.returned)
            """, Product.init)
        guard let product else { throw StorageError.misuse("an insert returned no row") }
        if new.stock > 0 {
            let movement = MovementEntry(kind: .received, delta: new.stock, reason: "initial stock")
            try record(movement, of: product.id, balance: product.onHand, in: transaction)
        }
        announceChange(in: transaction)
        return product
    }

    /// Changes a product's details and counts its version up.
    ///
    /// - Throws: ``ProductError``: `notFound`, `versionMismatch`, or that of the change.
    func change(_ id: ProductID, _ change: ProductChange, if condition: VersionCondition) async throws -> Product {
        try await database.write { transaction in
            let current = try Self.product(id, in: transaction)
            guard condition.holds(for: current.version) else { throw ProductError.versionMismatch }
            let details = try change.applied(to: current.details)
            return try write(details, to: current, in: transaction)
        }
    }

    /// Takes a product out of the shop. Orders that have it keep it.
    ///
    /// - Throws: ``ProductError``: `notFound`, `versionMismatch`.
    func archive(_ id: ProductID, if condition: VersionCondition) async throws {
        try await database.write { transaction in
            let current = try Self.product(id, in: transaction)
            guard condition.holds(for: current.version) else { throw ProductError.versionMismatch }
            let archived = try transaction.execute(
                """
                UPDATE products SET archived_at = \(time.now), updated_at = \(time.now), version = version + 1
                WHERE id = \(id) AND version = \(current.version) AND archived_at IS NULL
                """)
            guard archived == 1 else { throw ProductError.versionMismatch }
            announceChange(in: transaction)
        }
    }

    /// The condition on the version makes this safe where transactions run side by side: what was read is still there, or nothing changes.
    private func write(_ details: ProductDetails, to current: Product, in transaction: Transaction) throws -> Product {
        let product = try transaction.first(
            """
            UPDATE products SET
                name = \(details.name), name_key = \(CatalogKey.key(of: details.name)),
                category = \(details.category), category_key = \(CatalogKey.key(of: details.category)),
                description = \(details.description), price = \(details.price.minorUnits), currency = \(details.price.currency.code),
                price_thousandths = \(ComparablePrice(details.price).thousandths),
                updated_at = \(time.now), version = version + 1
            WHERE id = \(current.id) AND version = \(current.version) AND archived_at IS NULL
            RETURNING \(Product.returned)
            """, Product.init)
        guard let product else { throw ProductError.versionMismatch }
        announceChange(in: transaction)
        return product
    }

    /// Runs `body` in a write transaction: for callers that put several of these methods into one.
    func write<Result: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Result) async throws -> Result {
        try await database.write(body)
    }

    func announceChange(in transaction: Transaction) {
        transaction.afterCommit { [version] in version.advance() }
    }
}
