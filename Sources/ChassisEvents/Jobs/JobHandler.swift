import Chassis
import ChassisStorage
import Commerce

/// How one kind of job is done.
public struct JobHandler: Sendable {
    /// When a kind returns by itself.
    enum Recurrence: Sendable, Hashable {
        case once
        case every(Duration)
    }

    let kind: String
    var isIndispensable = false
    let retry: RetryPolicy
    /// Jobs of this kind that one worker does at the same time.
    let concurrency: Int
    let lease: Duration
    let recurrence: Recurrence
    let perform: @Sendable (_ payload: String, JobContext) async throws -> JobOutcome

    /// Kinds of recurring jobs begin so, that they are not counted as work that waits.
    static let recurringPrefix = "every:"

    /// Does jobs of type `Content`.
    ///
    /// - Parameters:
    ///   - retry: what happens when `perform` throws: another attempt after a backoff, and death after the last.
    ///   - concurrency: how many of this kind one worker does at the same time.
    ///   - lease: how long one attempt may take. Nine tenths of it are the handler's; then it is cancelled and has failed. When a worker dies,
    ///     another takes the job over once the lease has ended.
    ///   - perform: the work. It runs outside any transaction; what it has to write it returns in its outcome.
    public static func handle<Content: Job>(
        _ type: Content.Type, retry: RetryPolicy = .standard, concurrency: Int = 16, lease: Duration = .seconds(30),
        _ perform: @escaping @Sendable (Content, JobContext) async throws -> JobOutcome
    ) -> JobHandler {
        precondition(concurrency >= 1 && lease > .zero)
        precondition(!Content.kind.hasPrefix(recurringPrefix), "a kind that begins with \(recurringPrefix) is a recurring job")
        return JobHandler(
            kind: Content.kind, isIndispensable: Content.isIndispensable, retry: retry, concurrency: concurrency, lease: lease,
            recurrence: .once
        ) { payload, context in
            try await perform(JSON.decode(Content.self, from: payload), context)
        }
    }

    /// Does something again and again, one at a time across all replicas, `interval` after it was last done.
    ///
    /// It first runs at the start of a new database. When it throws it is repeated after a backoff of at most `interval`; it never dies.
    ///
    /// - Parameter name: names the job in its table. Once released it is never changed.
    public static func every(
        _ interval: Duration, name: String, lease: Duration = .seconds(60), _ perform: @escaping @Sendable (JobContext) async throws -> Void
    ) -> JobHandler {
        precondition(interval > .zero && lease > .zero)
        let base = min(interval, .seconds(1))
        return JobHandler(
            kind: recurringPrefix + name, retry: RetryPolicy(maxAttempts: .max, base: base, cap: max(base, min(interval, .seconds(300)))),
            concurrency: 1, lease: lease, recurrence: .every(interval)
        ) { _, context in
            try await perform(context)
            return .done
        }
    }
}
