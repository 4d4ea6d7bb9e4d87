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
    private let condition: DatabaseCondition
    private let writer = ThreadGroup()
    private let readers = ThreadGroup()

    /// Writes that wait for the writing thread.
    var writesWaiting: Int { writes.count }

    private init(store: SQLiteSettings.Store, options: DatabaseOptions, logger: Logger) {
        condition = DatabaseCondition(path: store.name, logger: logger)
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
        let driver = SQLiteDriver(store: store, options: options, logger: logger)
        let settings = SQLiteSettings(store: store, role: .writer, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds)
        let applied = try await driver.startWriter(settings, migrations: migrations, limits: options.groupCommit)
        driver.startReaders(options.readers, settings, as: .reader)
        logger.info("database opened", metadata: ["dialect": "sqlite", "migrations": .array(applied.map { .string($0) })])
        return driver
    }

    /// Opens a file that others own. Writing is refused as ``StorageError/unavailable``.
    static func openForReading(_ file: SQLiteSettings.Store, options: DatabaseOptions, logger: Logger) -> SQLiteDriver {
        let driver = SQLiteDriver(store: file, options: options, logger: logger)
        driver.writes.close()
        let settings = SQLiteSettings(
            store: file, role: .witness, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds)
        driver.startReaders(options.readers, settings, as: .witness)
        return driver
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await PendingCall.perform(isRead: true, in: reads ?? writes, body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await PendingCall.perform(isRead: false, in: writes, body)
    }

    func check() async throws {
        do {
            try condition.checkIdentity(log: false)
        } catch {
            condition.failed(error, .writing)
        }
        guard condition.writingFails else { return }
        do {
            // A row that comes and goes: its page is written to the disk, and nobody ever sees it.
            try await write { transaction in
                try transaction.execute("INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ('is this disk full?', '', 0)")
                try transaction.execute("DELETE FROM schema_migrations WHERE name = 'is this disk full?'")
            }
        } catch let error as StorageError {
            throw condition.explained(error)
        }
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
        limits: GroupCommitLimits
    ) async throws -> [String] {
        let (queue, condition) = (writes, condition)
        return try await withCheckedThrowingContinuation { opened in
            writer.start("souk-db-write") {
                let session = SQLiteSession(settings, condition: condition)
                do {
                    opened.resume(returning: try session.migrate(migrations))
                } catch {
                    return opened.resume(throwing: error)
                }
                GroupCommit(queue: queue, session: session, limits: limits).serve()
            }
        }
    }

    private func startReaders(_ count: Int, _ settings: SQLiteSettings, as role: SQLiteSettings.Role) {
        guard let queue = reads else { return }
        var settings = settings
        settings.role = role
        for number in 1...count {
            readers.start("souk-db-read-\(number)") { [settings, condition] in
                let session = SQLiteSession(settings, condition: condition)
                while let work = queue.take(atMost: 1).first { session.read(work) }
            }
        }
    }
}
