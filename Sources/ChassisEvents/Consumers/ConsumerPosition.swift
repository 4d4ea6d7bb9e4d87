import ChassisStorage
import Commerce
import Contracts

/// Where a consumer stands in its producer's feed: a row of `consumer_positions`.
struct ConsumerPosition: Sendable {
    /// An event that could not be applied and is to be tried again. The consumer stands just before it.
    struct HeldEvent: Sendable, Hashable {
        let sequence: Int64
        /// Failed attempts so far.
        let attempts: Int
        let retryAt: Timestamp
    }

    /// Everything up to this sequence is applied, skipped or parked.
    var sequence: Int64
    var held: HeldEvent?

    static let migration = Migration(
        "events_002_consumers",
        """
        CREATE TABLE consumer_positions (
            source TEXT PRIMARY KEY NOT NULL,
            position $integer NOT NULL CHECK (position >= 0),
            held_sequence $integer,
            held_attempts $integer NOT NULL DEFAULT 0,
            retry_at $integer NOT NULL DEFAULT 0
        ) $strict;
        CREATE TABLE dead_events (
            number $id,
            source TEXT NOT NULL,
            sequence $integer NOT NULL,
            event_id TEXT NOT NULL,
            type TEXT NOT NULL,
            subject TEXT,
            time $integer NOT NULL,
            traceparent TEXT,
            data TEXT NOT NULL,
            error TEXT NOT NULL,
            attempts $integer NOT NULL,
            since $integer NOT NULL,
            UNIQUE (source, sequence)
        ) $strict;
        """)

    /// Creates the row of a consumer that has none yet; at the beginning of the feed.
    static func establish(for source: ServiceName, in transaction: Transaction) throws {
        try transaction.execute("INSERT INTO consumer_positions (source, position) VALUES (\(source.rawValue), 0) ON CONFLICT DO NOTHING")
    }

    /// Reads the row and, on Postgres, keeps other replicas of this consumer out until the transaction ends. On SQLite a write has no rival.
    static func locked(for source: ServiceName, in transaction: Transaction) throws -> ConsumerPosition? {
        let lock: SQL = transaction.dialect == .postgres ? " FOR UPDATE" : ""
        return try read(where: "source = \(source.rawValue)\(lock)", in: transaction)
    }

    static func current(for source: ServiceName, in transaction: Transaction) throws -> ConsumerPosition? {
        try read(where: "source = \(source.rawValue)", in: transaction)
    }

    private static func read(where condition: SQL, in transaction: Transaction) throws -> ConsumerPosition? {
        try transaction.first("SELECT position, held_sequence, held_attempts, retry_at FROM consumer_positions WHERE \(condition)") { row in
            let heldSequence: Int64? = try row["held_sequence"]
            let held = try heldSequence.map { HeldEvent(sequence: $0, attempts: try row["held_attempts"], retryAt: try row["retry_at"]) }
            return ConsumerPosition(sequence: try row["position"], held: held)
        }
    }

    func write(for source: ServiceName, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE consumer_positions SET position = \(sequence), held_sequence = \(held?.sequence), held_attempts = \(held?.attempts ?? 0),
                retry_at = \(held?.retryAt ?? Timestamp(millisecondsSinceEpoch: 0))
            WHERE source = \(source.rawValue)
            """)
    }
}
