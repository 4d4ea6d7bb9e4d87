import ChassisStorage
import Commerce

/// Jobs that have failed their last attempt or were given up: rows of `jobs` that no worker takes.
enum DeadJobs {
    static func list(limit: Int, in transaction: Transaction) throws -> [DeadLetter] {
        try transaction.all("SELECT * FROM jobs WHERE state = 'dead' ORDER BY id LIMIT \(limit)") { try letter($0, withPayload: false) }
    }

    static func find(_ number: Int64, in transaction: Transaction) throws -> DeadLetter? {
        try transaction.first("SELECT * FROM jobs WHERE id = \(number) AND state = 'dead'") { try letter($0, withPayload: true) }
    }

    /// Makes a dead job due now, with all its attempts before it. False when there is no such job.
    static func revive(_ number: Int64, now: Timestamp, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE jobs SET state = 'waiting', due_at = \(now), set_at = \(now), attempts = 0, dead_at = NULL
            WHERE id = \(number) AND state = 'dead'
            """) > 0
    }

    /// False when there is no such job.
    static func remove(_ number: Int64, in transaction: Transaction) throws -> Bool {
        try transaction.execute("DELETE FROM jobs WHERE id = \(number) AND state = 'dead'") > 0
    }

    static func count(in transaction: Transaction) throws -> Int {
        try transaction.value("SELECT COUNT(*) FROM jobs WHERE state = 'dead'") ?? 0
    }

    private static func letter(_ row: Row, withPayload: Bool) throws -> DeadLetter {
        let death: Timestamp? = try row["dead_at"]
        return DeadLetter(
            id: .job(try row["id"]), type: try row["kind"], subject: try row["key"], error: try row["error"] as String? ?? "",
            attempts: try row["attempts"], since: try death ?? row["enqueued_at"], payload: withPayload ? try row["payload"] : nil)
    }
}
