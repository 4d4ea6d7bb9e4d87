import ChassisStorage

extension ProductMigrations {
    /// The ledger of the shelf: rows are added and never changed.
    static let stockMovements = Migration(
        "products_002_stock_movements",
        """
        CREATE TABLE stock_movements (
            id $id,
            product_id $integer NOT NULL REFERENCES products (id),
            kind TEXT NOT NULL CHECK (kind IN ('received', 'sale', 'reservation-committed', 'returned', 'adjustment')),
            delta $integer NOT NULL CHECK (delta <> 0),
            balance $integer NOT NULL CHECK (balance >= 0),
            reason TEXT,
            order_id $integer,
            at $integer NOT NULL
        ) $strict;
        CREATE INDEX stock_movements_by_product ON stock_movements (product_id, id);
        """)
}
