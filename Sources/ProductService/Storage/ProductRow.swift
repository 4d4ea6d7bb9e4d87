import ChassisStorage
import Commerce

// How a product stands in its row.

extension StockMovement.Kind: SQLValueConvertible {}
extension ReservationState: SQLValueConvertible {}

extension Product {
    /// The columns that `init(_:)` reads, of the table under the name `p`.
    static let columns: SQL = """
        p.id, p.on_hand, p.reserved, p.version, p.price, p.currency, p.created_at, p.updated_at, p.name, p.category, p.description
        """

    /// The same for a `RETURNING`, which SQLite lets name plain columns only.
    static let returned: SQL = "id, on_hand, reserved, version, price, currency, created_at, updated_at, name, category, description"

    init(_ row: Row) throws {
        id = try row["id"]
        onHand = try row["on_hand"]
        reserved = try row["reserved"]
        version = try row["version"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
        details = ProductDetails(
            name: try row["name"], description: try row["description"], category: try row["category"],
            price: try Money(row, amount: "price"))
    }
}

extension Money {
    /// An amount in minor units beside its `currency` column.
    init(_ row: Row, amount: String) throws {
        let code: String = try row["currency"]
        guard let currency = Currency(code: code) else { throw StorageError.conversion("found an unknown currency") }
        self.init(minorUnits: try row[amount], currency: currency)
    }
}
