import ChassisStorage

extension OrderMigrations {
    /// Orders, their lines at the agreed prices, and their history.
    ///
    /// `reservation_id` is unique: whatever happens to idempotency keys, a reservation never backs two orders. `pay_by` counts only while
    /// an order is pending, and only pending orders are in its index.
    static let orders = Migration(
        "001_orders",
        """
        CREATE TABLE orders (
            id $id,
            user_id $integer NOT NULL CHECK (user_id > 0),
            status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded')),
            total $integer NOT NULL CHECK (total >= 0),
            currency TEXT NOT NULL,
            payment_method TEXT NOT NULL,
            shipping_address TEXT,
            reservation_id TEXT NOT NULL UNIQUE,
            created_at $integer NOT NULL,
            pay_by $integer NOT NULL,
            payment_id $integer UNIQUE,
            captured $integer NOT NULL DEFAULT 0 CHECK (captured >= 0 AND captured <= total),
            refunded $integer NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= captured),
            payment_failure TEXT,
            timeline_length $integer NOT NULL CHECK (timeline_length > 0)
        ) $strict;
        CREATE INDEX orders_by_user ON orders (user_id, id);
        CREATE INDEX orders_by_status ON orders (status, id);
        CREATE INDEX orders_to_be_paid ON orders (pay_by) WHERE status = 'pending';

        CREATE TABLE order_lines (
            order_id $integer NOT NULL REFERENCES orders (id),
            position $integer NOT NULL CHECK (position >= 0),
            product_id $integer NOT NULL,
            name TEXT NOT NULL,
            unit_price $integer NOT NULL CHECK (unit_price >= 0),
            quantity $integer NOT NULL CHECK (quantity > 0),
            PRIMARY KEY (order_id, position),
            UNIQUE (order_id, product_id)
        ) $strict;

        CREATE TABLE order_timeline (
            order_id $integer NOT NULL REFERENCES orders (id),
            sequence $integer NOT NULL CHECK (sequence > 0),
            status TEXT NOT NULL,
            at $integer NOT NULL,
            reason TEXT,
            changes_status $integer NOT NULL CHECK (changes_status IN (0, 1)),
            PRIMARY KEY (order_id, sequence)
        ) $strict;
        """)
}
