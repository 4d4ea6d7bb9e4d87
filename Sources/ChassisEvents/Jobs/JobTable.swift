import ChassisStorage
import Commerce

// The table of jobs.
//
// A job is in one of three states. `waiting`: it becomes due at `due_at`. `leased`: a worker has it until `due_at`. `dead`: a person must
// look. Since `due_at` means "may be taken from then on" in both of the living states, taking the due and taking over the abandoned is one
// condition on one index, which holds no dead rows. A job that is done is no row.
//
// `lease` counts how often the job was taken. It is the fencing token: what a worker records is written only where its own number
// still stands.
//
// `set_at` is when `due_at` was written, by the clock of that moment. A row whose `set_at` is still to come was written by a clock that has been
// set back since; its wait begins anew then (`restartWaits`). So no clock that was wrong yesterday holds up a job until the day it showed.

enum JobTable {
    static let migration = Migration(
        "events_003_jobs",
        """
        CREATE TABLE jobs (
            id $id,
            kind TEXT NOT NULL,
            key TEXT,
            payload TEXT NOT NULL,
            traceparent TEXT,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'dead')),
            due_at $integer NOT NULL,
            lease $integer NOT NULL DEFAULT 0,
            attempts $integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            error TEXT,
            enqueued_at $integer NOT NULL,
            dead_at $integer
        ) $strict;
        CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, key) WHERE key IS NOT NULL;
        CREATE INDEX jobs_due ON jobs (kind, due_at) WHERE state <> 'dead';
        CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
        """)

    static let waitsMigration = Migration("events_004_job_waits", "ALTER TABLE jobs ADD COLUMN set_at $integer NOT NULL DEFAULT 0;")

    // MARK: Queueing

    static func insert(kind: String, key: String?, payload: String, due: Timestamp, now: Timestamp, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO jobs (kind, key, payload, traceparent, state, due_at, set_at, enqueued_at)
            VALUES (\(kind), \(key), \(payload), \(EventTracing.currentTraceparent()), 'waiting', \(due), \(now), \(now))
            ON CONFLICT DO NOTHING
            """)
    }

    static func cancel(kind: String, key: String, in transaction: Transaction) throws -> Bool {
        try transaction.execute("DELETE FROM jobs WHERE kind = \(kind) AND key = \(key) AND state = 'waiting'") > 0
    }

    // MARK: Leasing

    /// When the next job of a kind may be taken; nil when there is none.
    static func nextDue(kind: String, in transaction: Transaction) throws -> Timestamp? {
        try transaction.value("SELECT MIN(due_at) FROM jobs WHERE kind = \(kind) AND state <> 'dead'", as: Timestamp?.self) ?? nil
    }

    /// Takes up to `limit` due jobs of a kind, the longest due first, until `end`.
    ///
    /// On Postgres rows that another worker is just taking are passed over; the candidates are fixed before they are updated, because a
    /// planner may otherwise run a limited subquery again for every row.
    static func lease(kind: String, limit: Int, now: Timestamp, until end: Timestamp, in transaction: Transaction) throws -> [LeasedJob] {
        let lock: SQL = transaction.dialect == .postgres ? " FOR UPDATE SKIP LOCKED" : ""
        return try transaction.all(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM jobs WHERE kind = \(kind) AND state <> 'dead' AND due_at <= \(now) ORDER BY due_at LIMIT \(limit)\(lock)
            )
            UPDATE jobs SET state = 'leased', due_at = \(end), set_at = \(now), lease = lease + 1, attempts = attempts + 1
            WHERE id IN (SELECT id FROM due)
            RETURNING id, lease, attempts, payload, traceparent, enqueued_at
            """
        ) { row in
            LeasedJob(
                id: try row["id"], kind: kind, lease: try row["lease"], attempt: try row["attempts"], payload: try row["payload"],
                traceparent: try row["traceparent"], enqueuedAt: try row["enqueued_at"], leaseEnd: end)
        }
    }

    /// Lets every wait that was begun by a clock which has been set back since begin anew. Returns how many those were.
    static func restartWaits(now: Timestamp, in transaction: Transaction) throws -> Int {
        try transaction.execute(
            "UPDATE jobs SET due_at = \(now) + (due_at - set_at), set_at = \(now) WHERE state <> 'dead' AND set_at > \(now)")
    }

    // MARK: Recording; each is false, and changes nothing, when the lease was lost.

    static func remove(_ job: LeasedJob, in transaction: Transaction) throws -> Bool {
        try transaction.execute("DELETE FROM jobs WHERE \(isHeld(job))") > 0
    }

    /// Gives the job back, to be taken again after `delay`.
    static func giveBack(
        _ job: LeasedJob, attempts: Int, error: String?, after delay: Duration, now: Timestamp, in transaction: Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE jobs SET state = 'waiting', due_at = \(now + delay), set_at = \(now), attempts = \(attempts), error = \(error)
            WHERE \(isHeld(job))
            """) > 0
    }

    static func bury(_ job: LeasedJob, error: String, now: Timestamp, in transaction: Transaction) throws -> Bool {
        try transaction.execute("UPDATE jobs SET state = 'dead', error = \(error), dead_at = \(now) WHERE \(isHeld(job))") > 0
    }

    private static func isHeld(_ job: LeasedJob) -> SQL {
        "id = \(job.id) AND lease = \(job.lease) AND state = 'leased'"
    }

    // MARK: Recurring jobs

    /// Creates the row of a recurring job, due now, or brings one forward whose interval was longer once.
    static func establish(recurring kind: String, interval: Duration, now: Timestamp, in transaction: Transaction) throws {
        try insert(kind: kind, key: "", payload: "{}", due: now, now: now, in: transaction)
        try transaction.execute(
            """
            UPDATE jobs SET due_at = \(now + interval), set_at = \(now)
            WHERE kind = \(kind) AND state = 'waiting' AND due_at > \(now + interval)
            """)
    }

    /// How many jobs are to be done, now or later, those under way included and recurring ones not.
    static func countWaiting(in transaction: Transaction) throws -> Int {
        // The pattern is `JobHandler.recurringPrefix`.
        try transaction.value("SELECT COUNT(*) FROM jobs WHERE state <> 'dead' AND kind NOT LIKE 'every:%'") ?? 0
    }

    /// Kinds that have jobs waiting.
    static func kinds(in transaction: Transaction) throws -> [String] {
        try transaction.all("SELECT DISTINCT kind FROM jobs WHERE state <> 'dead'") { try $0["kind"] }
    }
}

/// A job that this worker has until its lease ends.
struct LeasedJob: Sendable {
    let id: Int64
    let kind: String
    /// The fencing token.
    let lease: Int64
    /// Counted from 1, this one included.
    let attempt: Int
    let payload: String
    let traceparent: String?
    let enqueuedAt: Timestamp
    let leaseEnd: Timestamp
}
