import Logging

/// A thread's connection, opened when it is first needed and given up when it is beyond use.
///
/// It belongs to one thread. Trouble is logged when it begins and when it ends, not for every failure between.
final class SQLiteSession {
    /// A large migration of another process may hold the lock longer than any request would wait.
    private static let migrationTimeoutMilliseconds = 60_000

    private let settings: SQLiteSettings
    private let logger: Logger
    private var connection: SQLiteConnection?
    private var isInTrouble = false

    init(_ settings: SQLiteSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Uses the connection, opening it if there is none.
    func use<T>(_ body: (SQLiteConnection) throws(StorageError) -> T) throws(StorageError) -> T {
        let connection: SQLiteConnection
        if let current = self.connection {
            connection = current
        } else {
            connection = try SQLiteConnection(settings)
            self.connection = connection
        }
        do {
            return try connection.use(body)
        } catch {
            throw .sqlite(error)
        }
    }

    /// Runs a closure in a snapshot of its own and resumes its caller.
    func read(_ work: PendingWork) {
        guard !work.isCancelled else { return work.finish(CancellationError()) }
        do throws(StorageError) {
            let spoilt = try use { (connection) throws(StorageError) in
                try connection.begin(.reading)
                let transaction = Transaction(connection, dialect: .sqlite)
                _ = work.run(in: transaction)
                try connection.rollBack()
                return transaction.spoilt
            }
            ended(spoilt: spoilt)
            work.runCommitActions()
            work.finish(nil)
        } catch {
            failed(error)
            work.finish(error)
        }
    }

    /// Opens the connection and brings the schema up to date, while other processes that want the same wait. Returns what was applied.
    func migrate(_ migrations: [Migration]) throws(StorageError) -> [String] {
        try use { (connection) throws(StorageError) in
            connection.setBusyTimeout(milliseconds: Self.migrationTimeoutMilliseconds)
            defer { connection.setBusyTimeout(milliseconds: settings.busyTimeoutMilliseconds) }
            try connection.begin(.writing)
            do {
                let applied = try Transaction(connection, dialect: .sqlite).run { try MigrationRunner.run(migrations, in: $0) }
                try connection.commit()
                return applied
            } catch {
                try connection.rollBack()
                throw .sqlite(error)
            }
        }
    }

    /// To be called when a transaction ended as it should.
    ///
    /// - Parameter spoilt: a statement's failure in it that asks for a new connection.
    func ended(spoilt: StorageError?) {
        if let spoilt { return failed(spoilt) }
        guard isInTrouble else { return }
        isInTrouble = false
        logger.notice("the database works again")
    }

    /// Makes the next use start afresh: no open transaction, and a new connection where the old one may be beyond use.
    func failed(_ error: StorageError) {
        if !isInTrouble {
            isInTrouble = true
            logger.error("the database fails", metadata: ["error": "\(error.message)"])
        }
        var isSpoilt = error.spoilsConnection
        do {
            try connection?.use { try $0.rollBack() }
        } catch {
            isSpoilt = true
        }
        // A memory database lives in its connection, so that one stays.
        if isSpoilt && settings.store != .memory { connection = nil }
    }
}
