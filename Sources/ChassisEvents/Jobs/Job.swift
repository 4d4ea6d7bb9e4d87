public import ChassisStorage
public import Commerce

/// Durable work inside one service: what there is to do, small enough to be a row.
///
/// ```swift
/// struct ChargeCard: Job {
///     static let kind = "charge-card"
///     let paymentID: PaymentID
/// }
/// ```
///
/// A job names what it is about by id and reads the rest when it runs. It is done at least once: work that reaches the world outside must
/// be idempotent there (a payment's id as the provider's idempotency key), since a worker may die after the work and before its record.
public protocol Job: Codable, Sendable {
    /// Stored with each job. Once released it is never changed.
    static var kind: String { get }
    /// Whether something of somebody's would be lost if it were never done, such as money that is owed: a dead one may then be replayed, but not
    /// discarded. False unless said otherwise.
    static var isIndispensable: Bool { get }
}

extension Job {
    public static var isIndispensable: Bool { false }
}

/// What a handler knows of the job beside its content.
public struct JobContext: Sendable, Hashable {
    /// The same in every attempt.
    public let id: Int64
    /// Counted from 1.
    public let attempt: Int
    /// Whether no worker ever began this job before: not even in an attempt that was not counted, or before a person replayed it. Only then is
    /// it certain that the world outside has not heard of it.
    public let isFirstRun: Bool
    /// Whether a failure now is the last: the job will be dead.
    public let isLastAttempt: Bool
    /// When the handler is cancelled: somewhat before its lease ends, so that what it did can still be recorded.
    public let deadline: Timestamp
}

/// How an attempt ended that did not throw.
public enum JobOutcome: Sendable {
    /// The work is done. What the closure writes is one commit with the job's removal: it happens once, or the job is still there.
    case done(@Sendable (Transaction) throws -> Void)
    /// Not yet: try again after a while. It is no failure and counts as no attempt.
    case again(after: Duration)
    /// It cannot be done, now or later. What the closure writes is one commit with the job's death.
    case dead(reason: String, @Sendable (Transaction) throws -> Void)

    /// The work is done, and there is nothing to write.
    public static let done = JobOutcome.done { _ in }
}
