import Chassis
public import ChassisStorage
public import Commerce
import Synchronization

// How working tables stay small.
//
// A shop's books (orders, payments, movements, accounts) are kept for ever. Everything else is a note that a service makes for its own work:
// what it has announced, which key it has answered, which pieces it holds for whom. Such a row is needed for a known time and then only
// in the way. `docs/retention.md` lists every table and says which of the two it is.
//
// A retention is a table, an age and a statement that deletes the oldest rows beyond it. It runs as a recurring job. It deletes in small
// transactions, so that it never holds the one writer of SQLite for long, and others get their turn between two of them. A crash between
// two leaves rows that the next run takes. A run that finds a mountain of rows (a shop that stood still for months) ends after a while and
// leaves the rest to the next. A clock that is set forward makes everything look old: after that nothing is deleted for a day, so that what is set
// right within a day costs nothing. The pages of deleted rows are used again, so that the file does not grow with what passes through it.

/// A rule by which rows of a table go.
///
/// ```swift
/// service.run(events.work(handlers, trimming: [idempotency.retention, .reservations(of: store, keeping: .seconds(30 * 86_400))]))
/// ```
public struct Retention: Sendable {
    /// Names the recurring job. Once released it is never changed.
    public let name: String
    /// How long a row is kept at least.
    public let age: Duration
    /// Deletes at most `limit` rows, the oldest of those from before `cutoff`, and returns how many went: fewer than `limit` when none is left.
    private let trimSome: @Sendable (_ cutoff: Timestamp, _ limit: Int, Transaction) throws -> Int

    /// Rows deleted in one transaction, at most.
    static let batch = 500
    /// How long one run goes on; what is left then is for the next.
    private static let longestRun: Duration = .seconds(60)

    public init(
        _ name: String, keeping age: Duration,
        _ trimSome: @escaping @Sendable (_ cutoff: Timestamp, _ limit: Int, Transaction) throws -> Int
    ) {
        precondition(age >= .zero)
        self.name = name
        self.age = age
        self.trimSome = trimSome
    }

    /// Deletes what is older than its age. Returns how many rows went.
    @discardableResult
    func trim(_ database: Database, _ time: TimeSource) async throws -> Int {
        let cutoff = time.now - age
        let end = time.monotonic + Self.longestRun
        var trimmed = 0
        while !Task.isCancelled, time.monotonic < end {
            let count = try await database.write { [trimSome] in try trimSome(cutoff, Self.batch, $0) }
            trimmed += count
            if count < Self.batch { break }
        }
        return trimmed
    }

    /// The job that keeps the rule.
    func job(every interval: Duration, _ database: Database, _ time: TimeSource) -> JobHandler {
        let patience = Patience(time)
        return .every(interval, name: name, lease: Self.longestRun * 2) { _ in
            if patience.isOver() { try await trim(database, time) }
        }
    }
}

/// Whether the clock can be trusted with deleting: it was not set forward within the last day, as far as this process knows.
private final class Patience: Sendable {
    /// What the ages of rows may be wrong by.
    private static let leastJump: Duration = .seconds(60)
    private static let length: Duration = .seconds(86_400)

    private let time: TimeSource
    private let clock: ClockWatch
    private let end = Mutex<Duration?>(nil)

    init(_ time: TimeSource) {
        self.time = time
        clock = ClockWatch(time)
    }

    func isOver() -> Bool {
        let now = time.monotonic
        let wasSetForward = clock.jump() > Self.leastJump
        return end.withLock { end in
            if wasSetForward { end = now + Self.length }
            return end.map { now >= $0 } ?? true
        }
    }
}
