import ChassisStorage

// Which event comes before which: the one place where the two databases differ.
//
// SQLite has one writer at a time. The sequence is the table's AUTOINCREMENT key: drawn inside the writing transaction, never used twice,
// and visible in the order drawn. Nothing else is needed.
//
// On Postgres writers run side by side. One may draw 5, another draw 6 and commit first: a reader that has seen 6 would ask for what comes
// after 6, and event 5 would be lost to it for ever. Reading only rows whose transaction id is below `pg_snapshot_xmin` does not help by
// itself: the transaction with the lower id may be the one that drew 6. Ordering by transaction id instead closes that hole but tells
// events about one order in the wrong order, since a transaction that got its id early may wait for the lock of one that got it later;
// and both break when a dump is restored into a new cluster, whose transaction ids begin again.
//
// So on Postgres a row is inserted without a sequence, and the feed gives sequences to rows that are visible already: under an advisory
// lock that lets only one do it at a time, in the order of `appended`, a number drawn at insertion. Then
// - no number is given twice or out of turn, and none is given to a row that may yet be rolled back, so a reader misses nothing;
// - of two events where one's transaction saw the other's effect, or waited for its lock, the later one also drew `appended` later, and
//   if the earlier is visible it is numbered no later: cause stays before effect;
// - writers never wait for each other or for readers.
// The price is one more update of each row. A crash between insertion and numbering leaves a committed row without a number: the next
// read gives it one.

enum OutboxOrder {
    static let migration = Migration(
        "events_001_outbox",
        sqlite: """
            CREATE TABLE outbox (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL,
                source TEXT NOT NULL,
                type TEXT NOT NULL,
                subject TEXT NOT NULL,
                time INTEGER NOT NULL,
                traceparent TEXT,
                data TEXT NOT NULL
            ) STRICT;
            CREATE TABLE outbox_retention (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                trimmed_through INTEGER NOT NULL CHECK (trimmed_through >= 0)
            ) STRICT;
            INSERT INTO outbox_retention (one, trimmed_through) VALUES (1, 0);
            """,
        postgres: """
            CREATE TABLE outbox (
                appended BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                sequence BIGINT UNIQUE,
                id TEXT NOT NULL,
                source TEXT NOT NULL,
                type TEXT NOT NULL,
                subject TEXT NOT NULL,
                time BIGINT NOT NULL,
                traceparent TEXT,
                data TEXT NOT NULL
            );
            CREATE INDEX outbox_unnumbered ON outbox (appended) WHERE sequence IS NULL;
            CREATE TABLE outbox_retention (
                one BIGINT PRIMARY KEY CHECK (one = 1),
                trimmed_through BIGINT NOT NULL CHECK (trimmed_through >= 0)
            );
            INSERT INTO outbox_retention (one, trimmed_through) VALUES (1, 0);
            """)

    /// Rows numbered at once, at most.
    private static let largestRun = 5_000

    /// Whether committed rows wait for their number. Never on SQLite.
    static func hasUnnumbered(in transaction: Transaction) throws -> Bool {
        switch transaction.dialect {
        case .sqlite: false
        case .postgres: try transaction.value("SELECT 1 FROM outbox WHERE sequence IS NULL LIMIT 1", as: Int64.self) != nil
        }
    }

    /// Gives the next numbers to the rows that are visible and have none.
    static func number(in transaction: Transaction) throws {
        guard transaction.dialect == .postgres else { return }
        // A statement of its own: the next one's snapshot must be taken after the lock is held.
        _ = try transaction.first("SELECT pg_advisory_xact_lock(hashtext('souk.outbox'))") { _ in }
        try transaction.execute(
            """
            WITH unnumbered AS (
                SELECT appended, row_number() OVER (ORDER BY appended) AS place
                FROM (SELECT appended FROM outbox WHERE sequence IS NULL ORDER BY appended LIMIT \(largestRun)) AS run
            ), latest AS (
                SELECT GREATEST((SELECT MAX(sequence) FROM outbox), (SELECT trimmed_through FROM outbox_retention)) AS sequence
            )
            UPDATE outbox SET sequence = latest.sequence + unnumbered.place
            FROM unnumbered, latest
            WHERE outbox.appended = unnumbered.appended
            """)
    }
}
