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
// Trimming takes only ever a beginning of the table: a clock that was set back leaves a row with an older time behind a younger one, which
// then waits for it. A crash between two batches leaves a trimmed beginning and a matching mark, for both are written in one transaction.

extension Retention {
    /// Trims the outbox.
    static func outbox(keeping age: Duration) -> Retention {
        Retention("outbox-retention", keeping: age) { cutoff, limit, transaction in
            let oldest = try transaction.all(
                "SELECT sequence, time FROM outbox WHERE sequence IS NOT NULL ORDER BY sequence LIMIT \(limit)"
            ) { (sequence: try $0["sequence"] as Int64, time: try $0["time"] as Timestamp) }
            guard let last = oldest.prefix(while: { $0.time < cutoff }).last else { return 0 }
            try transaction.execute("UPDATE outbox_retention SET trimmed_through = \(last.sequence)")
            return try transaction.execute("DELETE FROM outbox WHERE sequence <= \(last.sequence)")
        }
    }
}
