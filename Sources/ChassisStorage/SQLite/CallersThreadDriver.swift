import Logging
import Synchronization

/// SQLite in memory, each closure run at once by whoever awaits it: the same transactions and group commit as ``SQLiteDriver``, without threads.
///
/// A database without threads of its own does the same in the same order whenever its callers do, which is what the simulation needs.
final class CallersThreadDriver: DatabaseDriver {
    let dialect = Dialect.sqlite

    private let queue: WorkQueue<PendingWork>
    private let commits: Mutex<GroupCommit>

    /// - Throws: ``StorageError``.
    init(migrations: [Migration], options: DatabaseOptions, logger: Logger) throws(StorageError) {
        let queue = WorkQueue<PendingWork>(limit: options.groupCommit.maximumWaiting)
        let session = SQLiteSession(
            SQLiteSettings(store: .memory, role: .writer, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds),
            condition: DatabaseCondition(path: ":memory:", logger: logger))
        _ = try session.migrate(migrations)
        self.queue = queue
        commits = Mutex(GroupCommit(queue: queue, session: session, limits: options.groupCommit))
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await PendingCall.perform(isRead: true, in: queue, whenQueued: { self.serve() }, body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await PendingCall.perform(isRead: false, in: queue, whenQueued: { self.serve() }, body)
    }

    private func serve() {
        commits.withLock { $0.serveWaiting() }
    }

    func check() async throws {}

    func close() async { abandon() }

    func abandon() { queue.close() }
}
