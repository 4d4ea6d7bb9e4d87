import Foundation
import Logging
import Synchronization

/// SQLite behind ``Database``: one thread that writes in group commits, and a few that read, each with a connection of its own.
///
/// An in-memory database is one connection, so its writer also serves reads, between commits.
final class SQLiteDriver: DatabaseDriver {
    let dialect = Dialect.sqlite

    private let writes: WorkQueue<PendingWork>
    /// Nil when the writer serves reads.
    private let reads: WorkQueue<PendingWork>?
    private let writer = ThreadGroup()
    private let readers = ThreadGroup()

    /// Writes that wait for the writing thread.
    var writesWaiting: Int { writes.count }

    private init(store: SQLiteSettings.Store, options: DatabaseOptions) {
        writes = WorkQueue(limit: options.groupCommit.maximumWaiting)
        reads = store == .memory ? nil : WorkQueue(limit: options.groupCommit.maximumWaiting)
    }

    /// - Throws: ``StorageError``.
    static func open(
        _ store: SQLiteSettings.Store,
        migrations: [Migration],
        options: DatabaseOptions,
        logger: Logger
    ) async throws -> SQLiteDriver {
        let driver = SQLiteDriver(store: store, options: options)
        let settings = SQLiteSettings(store: store, role: .writer, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds)
        let applied = try await driver.startWriter(settings, migrations: migrations, limits: options.groupCommit, logger: logger)
        driver.startReaders(options.readers, settings, as: .reader, logger: logger)
        logger.info("database opened", metadata: ["dialect": "sqlite", "migrations": .array(applied.map { .string($0) })])
        return driver
    }

    /// Opens a file that others own. Writing is refused as ``StorageError/unavailable``.
    static func openForReading(_ path: String, options: DatabaseOptions, logger: Logger) -> SQLiteDriver {
        let driver = SQLiteDriver(store: .file(path), options: options)
        driver.writes.close()
        let settings = SQLiteSettings(
            store: .file(path), role: .witness, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds)
        driver.startReaders(options.readers, settings, as: .witness, logger: logger)
        return driver
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await PendingCall.perform(isRead: true, in: reads ?? writes, body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await PendingCall.perform(isRead: false, in: writes, body)
    }

    func close() async {
        // The writer goes last: the last connection to close moves the log into the file, which a reader may not.
        reads?.close()
        await readers.ended()
        writes.close()
        await writer.ended()
    }

    func abandon() {
        reads?.close()
        writes.close()
    }

    /// Starts the writing thread, which opens and migrates before it serves, and returns the names of the applied migrations.
    private func startWriter(
        _ settings: SQLiteSettings,
        migrations: [Migration],
        limits: GroupCommitLimits,
        logger: Logger
    ) async throws -> [String] {
        let queue = writes
        return try await withCheckedThrowingContinuation { opened in
            writer.start("souk-db-write") {
                let session = SQLiteSession(settings, logger: logger)
                do {
                    opened.resume(returning: try session.migrate(migrations))
                } catch {
                    return opened.resume(throwing: error)
                }
                GroupCommit(queue: queue, session: session, limits: limits).serve()
            }
        }
    }

    private func startReaders(_ count: Int, _ settings: SQLiteSettings, as role: SQLiteSettings.Role, logger: Logger) {
        guard let queue = reads else { return }
        var settings = settings
        settings.role = role
        for number in 1...count {
            readers.start("souk-db-read-\(number)") { [settings] in
                let session = SQLiteSession(settings, logger: logger)
                while let work = queue.take(atMost: 1).first { session.read(work) }
            }
        }
    }
}
