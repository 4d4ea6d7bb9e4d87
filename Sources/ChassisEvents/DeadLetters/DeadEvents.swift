import ChassisStorage
import Commerce

/// Events that a consumer could not apply and has passed: the table `dead_events`.
enum DeadEvents {
    /// Keeps an event that has failed its last attempt.
    static func park(_ event: CloudEvent, error: String, attempts: Int, now: Timestamp, in transaction: Transaction) throws {
        // The row may be there already: a person may have moved the consumer back to before an event that had died.
        try transaction.execute(
            """
            INSERT INTO dead_events (source, sequence, event_id, type, subject, time, traceparent, data, error, attempts, since)
            VALUES (\(event.source), \(event.sequence), \(event.id), \(event.type), \(event.subject), \(event.time), \(event.traceparent),
                    \(event.data), \(error), \(attempts), \(now))
            ON CONFLICT (source, sequence) DO UPDATE SET error = excluded.error, attempts = dead_events.attempts + excluded.attempts
            """)
    }

    static func list(limit: Int, in transaction: Transaction) throws -> [DeadLetter] {
        try transaction.all("SELECT * FROM dead_events ORDER BY number LIMIT \(limit)") { try letter($0, withPayload: false) }
    }

    static func find(_ number: Int64, in transaction: Transaction) throws -> DeadLetter? {
        try transaction.first("SELECT * FROM dead_events WHERE number = \(number)") { try letter($0, withPayload: true) }
    }

    /// The event itself, to be applied again. On Postgres it stays locked until the transaction ends, so that two replays are not one too many.
    static func event(_ number: Int64, in transaction: Transaction) throws -> CloudEvent? {
        let lock: SQL = transaction.dialect == .postgres ? " FOR UPDATE" : ""
        return try transaction.first("SELECT * FROM dead_events WHERE number = \(number)\(lock)") { row in
            CloudEvent(
                id: try row["event_id"], source: try row["source"], type: try row["type"], subject: try row["subject"],
                time: try row["time"],
                sequence: try row["sequence"], traceparent: try row["traceparent"], data: try row["data"])
        }
    }

    /// Notes that a replay has failed.
    static func recordFailure(_ number: Int64, error: String, in transaction: Transaction) throws {
        try transaction.execute("UPDATE dead_events SET error = \(error), attempts = attempts + 1 WHERE number = \(number)")
    }

    /// False when there is no such event.
    static func remove(_ number: Int64, in transaction: Transaction) throws -> Bool {
        try transaction.execute("DELETE FROM dead_events WHERE number = \(number)") > 0
    }

    static func count(in transaction: Transaction) throws -> Int {
        try transaction.value("SELECT COUNT(*) FROM dead_events") ?? 0
    }

    private static func letter(_ row: Row, withPayload: Bool) throws -> DeadLetter {
        DeadLetter(
            id: .event(try row["number"]), type: try row["type"], subject: try row["subject"], error: try row["error"],
            attempts: try row["attempts"], since: try row["since"], payload: withPayload ? try row["data"] : nil)
    }
}
