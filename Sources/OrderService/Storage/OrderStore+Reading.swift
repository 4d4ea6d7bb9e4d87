import Chassis
import ChassisStorage
import Commerce
import Contracts

extension OrderStore {
    /// Which orders a list holds.
    struct Filter: Sendable, Hashable {
        /// Nil for all users.
        var userID: UserID?
        var status: OrderStatus?
    }

    /// An order, or nil when there is none.
    func order(_ id: OrderID, in transaction: Transaction) throws -> Order? {
        try orders(where: "id = \(id)", in: transaction).first
    }

    /// The same, for a change: on Postgres others that want to change it wait until the transaction ends. On SQLite a write has no rival.
    func lockedOrder(_ id: OrderID, in transaction: Transaction) throws -> Order? {
        try orders(where: "id = \(id)\(Self.lock(transaction))", in: transaction).first
    }

    /// Whether there is an order under one of these reservations.
    func hasOrder(reservedAs ids: [String], in transaction: Transaction) throws -> Bool {
        try transaction.value("SELECT 1 FROM orders WHERE reservation_id IN \(list: ids) LIMIT 1", as: Int64.self) != nil
    }

    /// Newest first, older than the order `before`.
    func orders(_ filter: Filter, before: OrderID?, limit: Int, in transaction: Transaction) throws -> [Order] {
        var conditions: [SQL] = []
        if let userID = filter.userID { conditions.append("user_id = \(userID)") }
        if let status = filter.status { conditions.append("status = \(status)") }
        if let before { conditions.append("id < \(before)") }
        let condition: SQL = conditions.isEmpty ? "1 = 1" : conditions.joined(separator: " AND ")
        return try orders(where: "\(condition) ORDER BY id DESC LIMIT \(limit)", in: transaction)
    }

    /// Some pending orders whose time to pay is over, for a change.
    func overdueOrders(limit: Int, in transaction: Transaction) throws -> [Order] {
        try orders(
            where: "status = 'pending' AND pay_by <= \(now()) ORDER BY pay_by LIMIT \(limit)\(Self.lock(transaction))", in: transaction)
    }

    /// The history of an order after an entry.
    func timeline(of id: OrderID, after sequence: Int64 = 0, in transaction: Transaction) throws -> [TimelineEntry] {
        try transaction.all(
            """
            SELECT sequence, status, at, reason, changes_status FROM order_timeline
            WHERE order_id = \(id) AND sequence > \(sequence) ORDER BY sequence
            """
        ) { row in
            TimelineEntry(
                sequence: try row["sequence"], status: try row["status"], at: try row["at"], reason: try row["reason"],
                changesStatus: try row["changes_status"])
        }
    }

    private static func lock(_ transaction: Transaction) -> SQL { transaction.dialect == .postgres ? " FOR UPDATE" : "" }
}

// MARK: - Rows

extension OrderStore {
    private struct StoredLine {
        let orderID: OrderID
        let productID: ProductID
        let name: String
        let unitPrice: Int64
        let quantity: Int64
    }

    private func orders(where condition: SQL, in transaction: Transaction) throws -> [Order] {
        let orders = try transaction.all(
            """
            SELECT id, user_id, status, total, currency, payment_method, shipping_address, reservation_id, created_at, payment_id, captured,
                refunded, charged_back, chargeback_reversed, payment_failure, timeline_length
            FROM orders WHERE \(condition)
            """, Self.order)
        guard !orders.isEmpty else { return [] }
        let lines = Dictionary(grouping: try lines(of: orders.map(\.id), in: transaction), by: \.orderID)
        return try orders.map { order in try Self.with(lines[order.id] ?? [], order) }
    }

    private func lines(of ids: [OrderID], in transaction: Transaction) throws -> [StoredLine] {
        try transaction.all(
            """
            SELECT order_id, product_id, name, unit_price, quantity FROM order_lines WHERE order_id IN \(list: ids)
            ORDER BY order_id, position
            """
        ) { row in
            StoredLine(
                orderID: try row["order_id"], productID: try row["product_id"], name: try row["name"], unitPrice: try row["unit_price"],
                quantity: try row["quantity"])
        }
    }

    private static func order(_ row: Row) throws -> Order {
        let code: String = try row["currency"]
        guard let currency = Currency(code: code) else { throw StorageError.conversion("an order has an unknown currency") }
        func money(_ column: String) throws -> Money { Money(minorUnits: try row[column], currency: currency) }
        let address: String? = try row["shipping_address"]
        let payment = OrderPayment(
            paymentID: try row["payment_id"], captured: try money("captured"), refunded: try money("refunded"),
            chargedBack: try money("charged_back"), chargebackReversed: try money("chargeback_reversed"),
            failureReason: try row["payment_failure"])
        return Order(
            id: try row["id"], userID: try row["user_id"], lines: [], total: try money("total"), paymentMethod: try row["payment_method"],
            shippingAddress: try address.map { try JSON.decode(ShippingAddress.self, from: $0) },
            reservationID: try row["reservation_id"], createdAt: try row["created_at"], status: try row["status"], payment: payment,
            timelineLength: try row["timeline_length"])
    }

    private static func with(_ stored: [StoredLine], _ order: Order) throws -> Order {
        let lines = try stored.map { line in
            guard let quantity = Quantity(rawValue: line.quantity) else {
                throw StorageError.conversion("an order has an impossible quantity")
            }
            return OrderLine(
                productID: line.productID, name: line.name, unitPrice: Money(minorUnits: line.unitPrice, currency: order.total.currency),
                quantity: quantity)
        }
        var complete = order
        complete.lines = lines
        return complete
    }
}
