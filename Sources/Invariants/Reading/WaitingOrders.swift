import ChassisStorage
import Contracts

/// The orders about which something has failed for the last time: whatever they lack waits for a person.
struct WaitingOrders: Sendable {
    private let ids: Set<Int64>
    /// Ids looked up by one statement, at most.
    private static let page = 512

    init(in books: Books) async throws {
        var ids: Set<Int64> = []
        for service in [ServiceName.products, .orders, .payments] where books[service] != nil {
            ids.formUnion(try await books.read(service, Self.deadEvents))
        }
        if books.payments != nil { ids.formUnion(try await books.read(.payments, Self.deadPayments)) }
        self.ids = ids
    }

    func contains(_ order: Int64) -> Bool { ids.contains(order) }

    /// The subject of whatever orders, payments and stock say is an order.
    @Sendable private static func deadEvents(_ transaction: Transaction) throws -> [Int64] {
        let sources = [ServiceName.orders, .payments, .products].map(\.rawValue)
        return try transaction.all("SELECT subject FROM dead_events WHERE source IN \(list: sources)") { row in
            let subject: String? = try row["subject"]
            return subject.flatMap { Int64($0) }
        }
        .compactMap(\.self)
    }

    /// A dead job of a payment or refund is named by the id of that.
    @Sendable private static func deadPayments(_ transaction: Transaction) throws -> [Int64] {
        let dead: [(kind: String, id: Int64?)] = try transaction.all("SELECT kind, key FROM jobs WHERE state = 'dead'") { row in
            let key: String? = try row["key"]
            return (try row["kind"], key.flatMap { Int64($0) })
        }
        let refunds = dead.filter { $0.kind == "refund-capture" }.compactMap(\.id)
        let charges = dead.filter { $0.kind == "charge-payment" }.compactMap(\.id)
        let refunded = try lookUp(refunds, in: transaction) { "SELECT payment_id AS found FROM refunds WHERE id IN \(list: $0)" }
        return try lookUp(charges + refunded, in: transaction) { "SELECT order_id AS found FROM payments WHERE id IN \(list: $0)" }
    }

    private static func lookUp(_ ids: [Int64], in transaction: Transaction, _ query: ([Int64]) -> SQL) throws -> [Int64] {
        try stride(from: 0, to: ids.count, by: page).flatMap { start in
            try transaction.all(query(ids[start..<min(start + page, ids.count)].padded)) { try $0["found"] as Int64 }
        }
    }
}
