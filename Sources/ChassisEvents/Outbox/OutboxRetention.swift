import Chassis
import ChassisStorage
import Commerce

// How long events are kept.
//
// The outbox does not know who reads it, so it cannot wait for its readers. The rule is time: an event is kept for the retention (7 days
// unless set otherwise), and then trimmed whether it was read or not. What makes that safe is that it is never silent: the outbox
// remembers how far it was trimmed, and a reader that asks for events from before gets a 410 `feed-truncated` instead of the next event it
// would find. Its consumer stops, says so in its log and in `/internal/status`, and stays stopped until a person has decided: to restore the
// producer's database from before, or to accept the loss by moving the consumer's row in `consumer_positions` on. A new consumer
// of an old feed is in the same place and is started in the same way.
//
// Trimming takes the oldest rows in small transactions, so that it never holds the one writer of SQLite for long, and only ever a
// beginning of the table: a clock that was set back leaves a row with an older time behind a younger one, which then waits for it.
// A crash between two of them leaves a trimmed beginning and a matching mark, for both are written in one transaction.

struct OutboxRetention: Sendable {
    let database: Database
    let time: TimeSource
    let retention: Duration
    /// Rows deleted in one transaction, at most.
    static let batch = 500

    /// Trims what is older than the retention. Returns how many events went.
    @discardableResult
    func trim() async throws -> Int {
        let cutoff = time.now - retention
        var trimmed = 0
        while !Task.isCancelled {
            let count = try await database.write { try Self.trimBatch(olderThan: cutoff, in: $0) }
            trimmed += count
            if count < Self.batch { break }
        }
        return trimmed
    }

    private static func trimBatch(olderThan cutoff: Timestamp, in transaction: Transaction) throws -> Int {
        let oldest = try transaction.all("SELECT sequence, time FROM outbox WHERE sequence IS NOT NULL ORDER BY sequence LIMIT \(batch)") {
            row in
            (sequence: try row["sequence"] as Int64, time: try row["time"] as Timestamp)
        }
        guard let last = oldest.prefix(while: { $0.time < cutoff }).last else { return 0 }
        try transaction.execute("UPDATE outbox_retention SET trimmed_through = \(last.sequence)")
        return try transaction.execute("DELETE FROM outbox WHERE sequence <= \(last.sequence)")
    }
}
