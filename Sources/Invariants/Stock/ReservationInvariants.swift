import ChassisStorage
import Commerce
import Contracts

// Orders against reservations, across two databases. A reservation is made before its order, and moved on by the order's events after it.
// Long after its order is over it is trimmed. What it says of the pieces stays in the movements.

extension Invariant {
    static let orderLinesMatchReservations = Invariant(
        "order-lines-match-reservations", .stock, .always, reading: [.orders, .products],
        "Every order has its reservation, with the same products, names, prices and quantities, until that is trimmed long after its end."
    ) { books in
        var finding = Finding()
        var missing: [ReservedLines] = []
        let pages = KeyedPages(
            start: "", effects: { after, limit in try await books.read(.orders) { try orderedLines(after, limit, in: $0) } },
            causes: { after, through in try await books.read(.products) { try reservedLines(after, through, in: $0) } })
        try await pages.compare { _, order, reserved in
            finding.examined += 1
            guard let reserved else { return missing.append(order) }
            for product in Set(order.lines.keys).union(reserved.keys).sorted() where order.lines[product] != reserved[product] {
                let (ordered, held) = (description(of: order.lines[product]), description(of: reserved[product]))
                finding.violation("order \(order.id)", "has \(ordered) of product \(product); its reservation has \(held)")
            }
        }
        guard !missing.isEmpty else { return finding }
        let trimmed = try await books.read(.products) { try TrimmedReservations(in: $0) }
        for order in missing where !trimmed.mayInclude(endOfOrder: order.end) {
            finding.violation("order \(order.id)", "has no reservation")
        }
        return finding
    }

    private struct ReservedLines: Sendable {
        let id: Int64
        let lines: [Int64: Line]
        /// When it was shipped, cancelled or refunded, whichever came first; nil when its pieces are still in the shop and its own.
        let end: Timestamp?
    }

    private struct Line: Sendable, Hashable {
        let name: String
        let unitPrice: Int64
        let currency: String
        let quantity: Int64
    }

    private static func description(of line: Line?) -> String {
        line.map { "\($0.quantity) × \($0.name) at \(amount($0.unitPrice, $0.currency))" } ?? "nothing"
    }

    private static func line(_ row: Row) throws -> Line {
        Line(name: try row["name"], unitPrice: try row["unit_price"], currency: try row["currency"], quantity: try row["quantity"])
    }

    private static func orderedLines(
        _ after: String, _ limit: Int, in transaction: Transaction
    ) throws -> [(key: String, effect: ReservedLines)] {
        let page: SQL = """
            SELECT id, reservation_id, currency, (
                SELECT MIN(at) FROM order_timeline t
                WHERE t.order_id = orders.id AND t.changes_status = 1 AND t.status IN ('shipped', 'cancelled', 'refunded')
            ) AS ended_at
            FROM orders WHERE reservation_id > \(after) ORDER BY reservation_id LIMIT \(limit)
            """
        var lines: [Int64: [Int64: Line]] = [:]
        try transaction.each(
            """
            SELECT o.id, l.product_id, l.name, l.unit_price, l.quantity, o.currency
            FROM (\(page)) AS o JOIN order_lines l ON l.order_id = o.id
            """
        ) { row in
            lines[try row["id"], default: [:]][try row["product_id"]] = try line(row)
        }
        return try transaction.all(page) { row in
            let id: Int64 = try row["id"]
            return (try row["reservation_id"], ReservedLines(id: id, lines: lines[id] ?? [:], end: try row["ended_at"]))
        }
    }

    private static func reservedLines(_ after: String, _ through: String, in transaction: Transaction) throws -> [String: [Int64: Line]] {
        var lines: [String: [Int64: Line]] = [:]
        try transaction.each(
            """
            SELECT r.id, l.product_id, l.name, l.unit_price, l.quantity, l.currency
            FROM reservations r JOIN reservation_lines l ON l.reservation = r.number WHERE r.id > \(after) AND r.id <= \(through)
            """
        ) { row in
            lines[try row["id"], default: [:]][try row["product_id"]] = try line(row)
        }
        return lines
    }
}

// MARK: - Moved by their orders

extension Invariant {
    static let reservationsFollowTheirOrders = Invariant(
        "reservations-follow-their-orders", .stock, .always, reading: [.products, .orders],
        "A reservation is sold, given back or lost only because its order was paid, cancelled or refunded."
    ) { books in
        var finding = Finding()
        let pages = KeyedPages(
            start: "", effects: { after, limit in try await books.read(.products) { try movedReservations(after, limit, in: $0) } },
            causes: { after, through in try await books.read(.orders) { try ordersOfReservations(after, through, in: $0) } })
        try await pages.compare { id, reservation, order in
            finding.examined += 1
            guard let problem = mistake(in: reservation, of: order) else { return }
            finding.violation("reservation \(id)", problem)
        }
        return finding
    }

    private struct MovedReservation: Sendable {
        let state: String
        let order: Int64?
    }

    private struct ReservedOrder: Sendable {
        let id: Int64
        let status: String
        let wasPaid: Bool
    }

    private static func mistake(in reservation: MovedReservation, of order: ReservedOrder?) -> String? {
        guard let named = reservation.order else { return "is \(reservation.state), but for no order" }
        guard let order, order.id == named else { return "is \(reservation.state) for order \(named), which does not have it" }
        let isOff = order.status == "cancelled" || order.status == "refunded"
        let isRight =
            switch reservation.state {
            case "committed", "lost": order.wasPaid
            case "returned": order.wasPaid && isOff
            case "cancelled": isOff
            default: false
            }
        return isRight
            ? nil : "is \(reservation.state), but order \(named) is \(order.status)\(order.wasPaid ? "" : " and was never paid")"
    }

    private static func movedReservations(
        _ after: String, _ limit: Int, in transaction: Transaction
    ) throws -> [(key: String, effect: MovedReservation)] {
        try transaction.all(
            """
            SELECT id, state, order_id FROM reservations
            WHERE id > \(after) AND (order_id IS NOT NULL OR state IN ('committed', 'returned', 'cancelled', 'lost'))
            ORDER BY id LIMIT \(limit)
            """
        ) { row in (try row["id"], MovedReservation(state: try row["state"], order: try row["order_id"])) }
    }

    private static func ordersOfReservations(
        _ after: String, _ through: String, in transaction: Transaction
    ) throws -> [String: ReservedOrder] {
        let rows = try transaction.all(
            """
            SELECT o.reservation_id, o.id, o.status, CASE WHEN EXISTS (
                SELECT 1 FROM order_timeline t WHERE t.order_id = o.id AND t.status = 'paid' AND t.changes_status = 1
            ) THEN 1 ELSE 0 END AS was_paid
            FROM orders o WHERE o.reservation_id > \(after) AND o.reservation_id <= \(through)
            """
        ) { row in
            (try row["reservation_id"] as String, ReservedOrder(id: try row["id"], status: try row["status"], wasPaid: try row["was_paid"]))
        }
        return Dictionary(rows) { first, _ in first }
    }

    static let shippedIsSold = Invariant(
        "shipped-is-sold", .stock, .always, reading: [.orders, .products],
        "Nothing is shipped but what was sold from the stock to that order."
    ) { books in
        var finding = Finding()
        // The orders are read first: what they have shipped by then was sold before.
        let pages = KeyedPages(
            start: "", effects: { after, limit in try await books.read(.orders) { try shipped(after, limit, in: $0) } },
            causes: { after, through in try await books.read(.products) { try states(after, through, in: $0) } })
        try await pages.compare { _, order, state in
            finding.examined += 1
            // An order without a reservation is another invariant's.
            guard let state, state != "committed" else { return }
            finding.violation("order \(order)", "left the shop, but its reservation is \(state)")
        }
        return finding
    }

    private static func shipped(_ after: String, _ limit: Int, in transaction: Transaction) throws -> [(key: String, effect: Int64)] {
        try transaction.all(
            """
            SELECT id, reservation_id FROM orders
            WHERE reservation_id > \(after) AND status IN ('shipped', 'delivered') ORDER BY reservation_id LIMIT \(limit)
            """
        ) { row in (try row["reservation_id"], try row["id"]) }
    }

    // MARK: When all is done

    static let stockAgreesWithOrders = Invariant(
        "stock-agrees-with-orders", .stock, .settled, reading: [.orders, .products, .payments],
        "The pieces of paid orders are sold, and orders that have ended hold none."
    ) { books in
        var finding = Finding()
        let waiting = try await WaitingOrders(in: books)
        let pages = KeyedPages(
            start: "", effects: { after, limit in try await books.read(.orders) { try statuses(after, limit, in: $0) } },
            causes: { after, through in try await books.read(.products) { try states(after, through, in: $0) } })
        try await pages.compare { _, order, state in
            finding.examined += 1
            // An order without a reservation is another invariant's.
            guard let state, let right = settledStates[order.status], !waiting.contains(order.id), !right.contains(state) else { return }
            finding.violation("order \(order.id)", "is \(order.status), but its reservation is \(state)")
        }
        return finding
    }

    /// What may have become of the pieces, by what became of the order. What left the shop is `shippedIsSold`'s.
    private static let settledStates: [String: Set<String>] = [
        "pending": ["held", "released", "expired"],
        "paid": ["committed"],
        "cancelled": ["cancelled", "returned", "lost"],
        "refunded": ["committed", "returned", "lost"],
    ]

    private static func statuses(
        _ after: String, _ limit: Int, in transaction: Transaction
    ) throws -> [(key: String, effect: (id: Int64, status: String))] {
        try transaction.all(
            "SELECT id, reservation_id, status FROM orders WHERE reservation_id > \(after) ORDER BY reservation_id LIMIT \(limit)"
        ) { row in (try row["reservation_id"], (try row["id"], try row["status"])) }
    }

    private static func states(_ after: String, _ through: String, in transaction: Transaction) throws -> [String: String] {
        let rows = try transaction.all("SELECT id, state FROM reservations WHERE id > \(after) AND id <= \(through)") { row in
            (try row["id"] as String, try row["state"] as String)
        }
        return Dictionary(rows) { first, _ in first }
    }
}
