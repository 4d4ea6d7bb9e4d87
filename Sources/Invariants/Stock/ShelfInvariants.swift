import ChassisStorage
import Commerce
import Contracts

// The shelf: all in product-service's own database, so that each is exact.

extension Invariant {
    static let leasesEnd = Invariant(
        "leases-end", .stock, .settled, reading: [.products],
        "In a shop that is at work no pieces are held for long after the time of their lease."
    ) { books in
        guard let now = books.now else { return Finding() }
        return try await books.read(.products) { transaction in
            var finding = Finding()
            try transaction.each("SELECT id, expires_at FROM reservations WHERE state = 'held' ORDER BY number") { row in
                finding.examined += 1
                let (id, end): (String, Timestamp) = (try row["id"], try row["expires_at"])
                if end < now - longestSweep { finding.violation("reservation \(id)", "is held, and its time was over at \(end)") }
            }
            return finding
        }
    }

    /// Many times the interval at which product-service looks for leases whose time is over.
    private static let longestSweep: Duration = .seconds(20)

    static let stockBalances = Invariant(
        "stock-balances", .stock, .always, in: .products,
        "What a product has on hand is what its movements add up to, and each movement says what was there after it."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM products")
        try transaction.each(
            """
            SELECT p.id, p.on_hand, CAST(COALESCE(m.total, 0) AS BIGINT) AS total
            FROM products p LEFT JOIN (SELECT product_id, SUM(delta) AS total FROM stock_movements GROUP BY product_id) AS m
                ON m.product_id = p.id
            WHERE p.on_hand <> COALESCE(m.total, 0)
            """
        ) { row in
            let (id, onHand, total): (Int64, Int64, Int64) = (try row["id"], try row["on_hand"], try row["total"])
            finding.violation("product \(id)", "has \(onHand) on hand, but its movements add up to \(total)")
        }
        try transaction.each(
            """
            SELECT id, product_id, balance, CAST(total AS BIGINT) AS total FROM (
                SELECT id, product_id, balance, SUM(delta) OVER (PARTITION BY product_id ORDER BY id) AS total FROM stock_movements
            ) AS running WHERE balance <> total
            """
        ) { row in
            let (id, product): (Int64, Int64) = (try row["id"], try row["product_id"])
            let (balance, total): (Int64, Int64) = (try row["balance"], try row["total"])
            finding.violation(
                "product \(product)", "has movement \(id), which leaves \(balance), but the movements up to it add up to \(total)")
        }
    }

    static let reservedIsHeld = Invariant(
        "reserved-is-held", .stock, .always, in: .products,
        "The pieces of a product that are promised are those of the reservations that are held."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM products")
        try transaction.each(
            """
            SELECT p.id, p.reserved, CAST(COALESCE(h.held, 0) AS BIGINT) AS held
            FROM products p LEFT JOIN (
                SELECT l.product_id, SUM(l.quantity) AS held
                FROM reservations r JOIN reservation_lines l ON l.reservation = r.number WHERE r.state = 'held' GROUP BY l.product_id
            ) AS h ON h.product_id = p.id
            WHERE p.reserved <> COALESCE(h.held, 0)
            """
        ) { row in
            let (id, reserved, held): (Int64, Int64, Int64) = (try row["id"], try row["reserved"], try row["held"])
            finding.violation("product \(id)", "has \(reserved) promised, but reservations hold \(held)")
        }
    }

    static let noOversell = Invariant(
        "no-oversell", .stock, .always, in: .products, "No more is promised than is there, and nothing is below zero."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM products")
        try transaction.each(
            "SELECT id, on_hand, reserved FROM products WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand ORDER BY id"
        ) { row in
            let (id, onHand, reserved): (Int64, Int64, Int64) = (try row["id"], try row["on_hand"], try row["reserved"])
            finding.violation("product \(id)", "has \(onHand) on hand and \(reserved) promised")
        }
        try transaction.each("SELECT id, product_id, balance FROM stock_movements WHERE balance < 0 ORDER BY id") { row in
            let (id, product, balance): (Int64, Int64, Int64) = (try row["id"], try row["product_id"], try row["balance"])
            finding.violation("product \(product)", "had \(balance) on hand after movement \(id)")
        }
    }

    /// Both sides are summed for each order and product: `line` counts the lines of reservations that are or were sold, `sale` the
    /// movements. Of a reservation that is trimmed only the movements are left, which then must make sense by themselves.
    static let salesMatchReservations = Invariant(
        "sales-match-reservations", .stock, .always, in: .products,
        "Each line of a sold reservation left the shelf once, each of a returned one came back once, and nothing else went to orders."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM reservations")
        let trimmed = try TrimmedReservations(in: transaction)
        try transaction.each(
            """
            SELECT * FROM (
                SELECT order_id, product_id, CAST(SUM(line) AS BIGINT) AS lines, CAST(SUM(sold) AS BIGINT) AS sold,
                    CAST(SUM(undone) AS BIGINT) AS undone, CAST(SUM(sale) AS BIGINT) AS sales, CAST(SUM(taken) AS BIGINT) AS taken,
                    CAST(SUM(back) AS BIGINT) AS backs, CAST(SUM(given) AS BIGINT) AS given,
                    MAX(at) AS last
                FROM (
                    SELECT r.order_id, l.product_id, 1 AS line, l.quantity AS sold,
                        CASE WHEN r.state = 'returned' THEN l.quantity ELSE 0 END AS undone, 0 AS sale, 0 AS taken, 0 AS back, 0 AS given,
                        0 AS at
                    FROM reservations r JOIN reservation_lines l ON l.reservation = r.number WHERE r.state IN ('committed', 'returned')
                    UNION ALL
                    SELECT order_id, product_id, 0, 0, 0, CASE WHEN kind = 'returned' THEN 0 ELSE 1 END,
                        CASE WHEN kind = 'returned' THEN 0 ELSE -delta END, CASE WHEN kind = 'returned' THEN 1 ELSE 0 END,
                        CASE WHEN kind = 'returned' THEN delta ELSE 0 END, at
                    FROM stock_movements WHERE kind IN ('reservation-committed', 'returned')
                ) AS entries GROUP BY order_id, product_id
            ) AS sums
            WHERE (lines <> 1 OR sales <> 1 OR taken <> sold OR given <> undone OR backs <> CASE WHEN undone > 0 THEN 1 ELSE 0 END)
                AND NOT (lines = 0 AND last <= \(trimmed.horizon) AND sales = 1 AND (backs = 0 OR (backs = 1 AND given = taken)))
            ORDER BY order_id, product_id
            """
        ) { row in
            let (order, product): (Int64?, Int64) = (try row["order_id"], try row["product_id"])
            let (lines, sold, undone): (Int64, Int64, Int64) = (try row["lines"], try row["sold"], try row["undone"])
            let (sales, taken, backs): (Int64, Int64, Int64) = (try row["sales"], try row["taken"], try row["backs"])
            let given: Int64 = try row["given"]
            finding.violation(
                order.map { "order \($0)" } ?? "product \(product)",
                "sold \(sold) of product \(product) by \(lines) reservations, of which \(undone) were undone; "
                    + "the shelf gave \(taken) in \(sales) movements and got \(given) back in \(backs)")
        }
    }
}
