import ChassisStorage

extension OrderMigrations {
    /// What the customers' banks have taken back of an order's money, and what of that they have given back; both only grow.
    static let chargebacks = Migration(
        "002_chargebacks",
        """
        ALTER TABLE orders ADD COLUMN charged_back $integer NOT NULL DEFAULT 0 CHECK (charged_back >= 0);
        ALTER TABLE orders ADD COLUMN chargeback_reversed $integer NOT NULL DEFAULT 0 CHECK (
            chargeback_reversed >= 0 AND chargeback_reversed <= charged_back
        );
        """)
}
