import ChassisStorage

extension ProductMigrations {
    /// The catalog and, in the same row, how much of each product there is: what a reservation reads and changes is one row.
    ///
    /// `price` is in minor units; `price_thousandths`, `name_key` and `category_key` are what filters and sorts compare.
    static let products = Migration(
        "products_001_products",
        """
        CREATE TABLE products (
            id $id,
            on_hand $integer NOT NULL CHECK (on_hand >= 0),
            reserved $integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
            version $integer NOT NULL DEFAULT 1 CHECK (version >= 1),
            price $integer NOT NULL CHECK (price > 0),
            currency TEXT NOT NULL CHECK (length(currency) = 3),
            price_thousandths $integer NOT NULL CHECK (price_thousandths > 0),
            created_at $integer NOT NULL,
            updated_at $integer NOT NULL,
            archived_at $integer,
            name TEXT NOT NULL CHECK (length(name) > 0),
            name_key TEXT NOT NULL,
            category TEXT NOT NULL CHECK (length(category) > 0),
            category_key TEXT NOT NULL,
            description TEXT NOT NULL,
            CONSTRAINT reserved_is_on_hand CHECK (reserved <= on_hand)
        ) $strict;
        CREATE INDEX products_by_price ON products (price_thousandths, id) WHERE archived_at IS NULL;
        CREATE INDEX products_by_name ON products (name_key, id) WHERE archived_at IS NULL;
        CREATE INDEX products_by_category ON products (category_key, id) WHERE archived_at IS NULL;

        CREATE TABLE demo_catalog (
            marker $integer NOT NULL PRIMARY KEY CHECK (marker = 1),
            loaded_at $integer NOT NULL
        ) $strict;
        """)
}

/// The schema of the product database, oldest first.
enum ProductMigrations {
    static let all: [Migration] = [products, stockMovements, reservations, search, reservationRetention]
}
