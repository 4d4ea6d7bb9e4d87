import Chassis
import ChassisEvents
import ChassisStorage

/// Cancels orders that were not paid in time, so that the pieces they hold go back on the shelf.
///
/// It works in small batches, each a transaction of its own: a backlog after an outage neither holds up other writers for long nor is lost
/// when the process dies in the middle. Whatever one run leaves, the next one takes up.
struct DeadlineSweep: Sendable {
    let database: Database
    let store: OrderStore
    let interval: Duration

    static let batchSize = 100
    /// A run ends after so many batches, to let another replica have its turn.
    static let largestBatchCount = 100

    var job: JobHandler {
        .every(interval, name: "orders.deadline") { _ in
            _ = try await run()
        }
    }

    /// Cancels what is overdue now, and returns how many orders that was.
    func run() async throws -> Int {
        var count = 0
        for _ in 0..<Self.largestBatchCount {
            let cancelled = try await database.write { [store] transaction in
                try store.shortenWaits(in: transaction)
                let orders = try store.overdueOrders(limit: Self.batchSize, in: transaction)
                for order in orders { try store.apply(.deadlinePassed, to: order, in: transaction) }
                return orders.count
            }
            count += cancelled
            if cancelled < Self.batchSize { break }
        }
        return count
    }
}
