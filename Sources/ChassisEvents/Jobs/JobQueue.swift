import Chassis
public import ChassisStorage
public import Commerce

/// Where a service puts durable work, in the transaction that makes it due.
public struct JobQueue: Sendable {
    private let time: TimeSource
    /// Signalled after every commit that made a job due now.
    let enqueued = WakeUp()

    init(time: TimeSource) {
        self.time = time
    }

    /// Has `job` done if and when `transaction` commits: at `due`, or at once.
    ///
    /// - Parameter key: makes the job unique. While there is a job of its kind with this key (waiting, running or dead) the call does
    ///   nothing; once that job is done the key is free again.
    /// - Throws: `StorageError`, or `EncodingError` when the job cannot be written as JSON.
    public func enqueue(_ job: some Job, key: String? = nil, at due: Timestamp? = nil, in transaction: Transaction) throws {
        let now = time.now
        try JobTable.insert(
            kind: type(of: job).kind, key: key, payload: try JSON.text(job), due: due ?? now,
            now: now,
            in: transaction)
        if due.map({ $0 <= now }) ?? true {
            transaction.afterCommit { [enqueued] in enqueued.signal() }
        }
    }

    /// Takes back the job with this key, unless it has been begun.
    ///
    /// - Returns: true when it was removed before any attempt was under way. False when there is none, or when it is under way (it is then
    ///   carried through, and its handler must look at the state it finds), or dead.
    /// - Throws: `StorageError`.
    @discardableResult
    public func cancel<Content: Job>(_ type: Content.Type, key: String, in transaction: Transaction) throws -> Bool {
        try JobTable.cancel(kind: Content.kind, key: key, in: transaction)
    }
}
