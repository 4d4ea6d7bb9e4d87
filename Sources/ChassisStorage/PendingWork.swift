import Synchronization

/// A caller's closure on its way through a driver's thread, and the caller's way back.
///
/// The thread calls `run` at most once, then `finish` exactly once. Between the two it commits, so that no caller hears of anything that is
/// not durable yet.
///
/// `@unchecked Sendable`: an instance is used by one side at a time. The caller fills it and puts it into a ``WorkQueue``, whose
/// lock hands it over to the thread that takes it; only `isCancelled`, an atomic, is touched from both.
class PendingWork: @unchecked Sendable {
    /// Whether this only reads. A database with a single connection runs it between commits.
    let isRead: Bool
    private let cancelled = Atomic(false)
    private var commitActions: [@Sendable () -> Void] = []

    init(isRead: Bool) { self.isRead = isRead }

    /// Whether the caller's task was cancelled. Work that has not begun is then left out.
    final var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    final func cancel() { cancelled.store(true, ordering: .relaxed) }

    /// Runs the closure, keeps its outcome, and tells whether its changes are to stay.
    final func run(in transaction: Transaction) -> Bool {
        guard perform(in: transaction) else { return false }
        commitActions = transaction.takeCommitActions()
        return true
    }

    /// Replaces a success by a failure found only after the closure had returned.
    func fail(_ error: any Error) { commitActions = [] }

    /// Runs the actions that waited for the commit. Called before `finish`, after the commit.
    final func runCommitActions() {
        for action in commitActions { action() }
        commitActions = []
    }

    /// Resumes the caller with its outcome, or with `error` when the commit that it depended on failed.
    func finish(_ error: (any Error)?) { fatalError("abstract") }

    fileprivate func perform(in transaction: Transaction) -> Bool { fatalError("abstract") }
}

/// ``PendingWork`` with the type of its result.
final class PendingCall<Result: Sendable>: PendingWork, @unchecked Sendable {
    private let body: @Sendable (Transaction) throws -> Result
    private var continuation: CheckedContinuation<Result, any Error>?
    private var outcome: Swift.Result<Result, any Error>?

    private init(isRead: Bool, body: @escaping @Sendable (Transaction) throws -> Result) {
        self.body = body
        super.init(isRead: isRead)
    }

    /// Puts a closure into a queue and waits until a thread has finished it.
    ///
    /// - Parameter serve: called once the closure is in the queue, for a queue that no thread serves.
    /// - Throws: what the closure throws; `CancellationError` when the task is cancelled before the closure begins; ``StorageError``.
    static func perform(
        isRead: Bool,
        in queue: WorkQueue<PendingWork>,
        whenQueued serve: @Sendable () -> Void = {},
        _ body: @escaping @Sendable (Transaction) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let call = PendingCall(isRead: isRead, body: body)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                call.continuation = continuation
                do {
                    try queue.put(call)
                    serve()
                } catch {
                    call.finish(error)
                }
            }
        } onCancel: {
            call.cancel()
        }
    }

    override func perform(in transaction: Transaction) -> Bool {
        do {
            outcome = .success(try transaction.run(body))
            return true
        } catch {
            outcome = .failure(error)
            return false
        }
    }

    override func fail(_ error: any Error) {
        super.fail(error)
        outcome = .failure(error)
    }

    override func finish(_ error: (any Error)?) {
        let continuation = continuation.take()
        if let error {
            continuation?.resume(throwing: error)
        } else if let outcome {
            continuation?.resume(with: outcome)
        } else {
            // Neither run nor refused: a driver's mistake, which must not leave the caller waiting for ever.
            continuation?.resume(throwing: StorageError.misuse("the driver finished a closure that it had not run"))
        }
    }
}
