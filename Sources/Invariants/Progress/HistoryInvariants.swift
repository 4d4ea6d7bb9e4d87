import ChassisStorage
import Contracts

extension Invariant {
    static let orderHistoryIsLawful = Invariant(
        "order-history-is-lawful", .progress, .always, in: .orders,
        "An order's history has no holes, begins as pending, takes only steps that an order may take, and ends where the order is."
    ) { transaction, finding in
        try transaction.eachGroup(
            """
            SELECT o.id, o.status, o.timeline_length, t.sequence, t.status AS step, t.changes_status
            FROM orders o LEFT JOIN order_timeline t ON t.order_id = o.id ORDER BY o.id, t.sequence
            """, by: "id", HistoryStep.init,
            { id, steps in
                finding.examined += 1
                if let problem = HistoryStep.mistake(in: steps) { finding.violation("order \(id)", problem) }
            })
    }

    static let everyOrderEnds = Invariant(
        "every-order-ends", .progress, .settled, reading: [.orders, .payments, .products],
        "No order is pending: it is paid or it has ended, or what it waits for waits for a person."
    ) { books in
        let waiting = try await WaitingOrders(in: books)
        return try await books.read(.orders) { transaction in
            var finding = Finding()
            finding.examined = try transaction.count("SELECT count(*) FROM orders")
            try transaction.each("SELECT id FROM orders WHERE status = 'pending' ORDER BY id") { row in
                let id: Int64 = try row["id"]
                if !waiting.contains(id) { finding.violation("order \(id)", "is pending, and nothing goes on about it") }
            }
            return finding
        }
    }
}

/// An entry of an order's history, beside what the order says of itself.
private struct HistoryStep {
    let orderStatus: String
    let length: Int64
    /// Nil when the order has no history at all.
    let sequence: Int64?
    let status: String
    let isChange: Bool

    init(_ row: Row) throws {
        orderStatus = try row["status"]
        length = try row["timeline_length"]
        sequence = try row["sequence"]
        status = try row["step"] ?? ""
        isChange = try row["changes_status"] ?? false
    }

    /// What may follow what.
    private static let successors: [String: Set<String>] = [
        "pending": ["paid", "cancelled"],
        "paid": ["shipped", "cancelled", "refunded"],
        "shipped": ["delivered", "refunded"],
        "delivered": ["refunded"],
    ]

    static func mistake(in steps: [HistoryStep]) -> String? {
        guard let first = steps.first, let last = steps.last, first.sequence != nil else { return "has no history" }
        guard first.length == steps.count else { return "has \(steps.count) entries in its history, which should have \(first.length)" }
        guard last.status == last.orderStatus else { return "is \(last.orderStatus), but its history ends as \(last.status)" }
        var previous: String?
        for (index, step) in steps.enumerated() {
            guard step.sequence == Int64(index + 1) else { return "has no entry \(index + 1) in its history" }
            if let problem = step.mistake(after: previous) { return "\(problem) at entry \(index + 1)" }
            previous = step.status
        }
        return nil
    }

    private func mistake(after previous: String?) -> String? {
        guard let previous else { return status == "pending" && isChange ? nil : "begins as \(status)" }
        if status == previous { return isChange || status == "pending" ? "notes a change that is none" : nil }
        guard isChange else { return "changes to \(status) without saying so" }
        return Self.successors[previous, default: []].contains(status) ? nil : "went from \(previous) to \(status)"
    }
}
