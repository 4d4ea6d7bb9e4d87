import Logging

/// A thread's connection, opened when it is first needed and given up when it is beyond use.
///
/// It belongs to one thread; what it finds wrong it tells to the `DatabaseCondition` that all sessions of a database share.
final class SQLiteSession {
    /// A large migration of another process may hold the lock longer than any request would wait.
    private static let migrationTimeoutMilliseconds = 60_000

    private let settings: SQLiteSettings
    private let condition: DatabaseCondition
    private var connection: SQLiteConnection?
    /// The condition's epoch when the connection was opened.
    private var epoch = 0

    init(_ settings: SQLiteSettings, condition: DatabaseCondition) {
        self.settings = settings
        self.condition = condition
    }

    /// Uses the connection, opening it if there is none.
    func use<T>(_ body: (SQLiteConnection) throws(StorageError) -> T) throws(StorageError) -> T {
        let connection = try current()
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
            ended(.reading, spoilt: spoilt)
            work.runCommitActions()
            work.finish(nil)
        } catch {
            failed(error, .reading)
            work.finish(error)
        }
    }

    /// Opens the connection and brings the schema up to date, while other processes that want the same wait. Returns what was applied.
    func migrate(_ migrations: [Migration]) throws(StorageError) -> [String] {
        if case .file(let path) = settings.store {
            do { try LogInspection.check(logOf: path) } catch { throw settings.explained(error) }
        }
        let applied = try use { (connection) throws(StorageError) in
            connection.setBusyTimeout(milliseconds: Self.migrationTimeoutMilliseconds)
            defer { connection.setBusyTimeout(milliseconds: settings.busyTimeoutMilliseconds) }
            do {
                try connection.begin(.writing)
                let applied = try Transaction(connection, dialect: .sqlite).run { try MigrationRunner.run(migrations, in: $0) }
                try connection.commit()
                return applied
            } catch {
                try connection.rollBack()
                throw settings.explained(.sqlite(error))
            }
        }
        rememberFiles()
        return applied
    }

    // MARK: How it went

    /// To be called when a transaction ended as it should.
    ///
    /// - Parameter spoilt: a statement's failure in it that asks for a new connection.
    func ended(_ activity: DatabaseCondition.Activity, spoilt: StorageError?) {
        if let spoilt { return failed(spoilt, activity) }
        condition.succeeded(activity)
    }

    /// Makes the next use start afresh: no open transaction, and a new connection where the old one may be beyond use.
    func failed(_ error: StorageError, _ activity: DatabaseCondition.Activity) {
        condition.failed(error, activity)
        var isSpoilt = error.spoilsConnection
        do {
            try connection?.use { try $0.rollBack() }
        } catch {
            isSpoilt = true
        }
        // A memory database lives in its connection, so that one stays.
        if isSpoilt && settings.store != .memory { connection = nil }
    }

    /// Asks whether what was just committed is in the file that the next start will open.
    ///
    /// - Throws: ``StorageError`` (moved).
    func confirmFiles() throws(StorageError) { try condition.checkIdentity(log: true) }

    // MARK: The connection

    private func current() throws(StorageError) -> SQLiteConnection {
        let wanted = try condition.epoch(examine)
        if let connection, epoch == wanted || settings.store == .memory { return connection }
        let fresh = try opened()
        epoch = wanted
        connection = fresh
        return fresh
    }

    private func opened() throws(StorageError) -> SQLiteConnection {
        // Never again by another file under the name, and never a new, empty one.
        try condition.checkIdentity(log: false)
        let fresh = try SQLiteConnection(settings)
        guard settings.role == .writer, settings.store != .memory else { return fresh }
        try settleLog(of: fresh)
        return fresh
    }

    /// What the log holds is moved into the file, and the log begins anew.
    ///
    /// After a failed fsync the kernel takes the pages that it could not write for clean: a second fsync of the log succeeds and has written
    /// nothing. While a connection stays open no harm comes of it, for the next commit writes the same places again. But whoever opens
    /// the log afresh finds the frames in memory and takes them for committed, and commits that follow them would be lost with them at a power
    /// cut. Moved into the file they are written, and synced, once more.
    private func settleLog(of fresh: SQLiteConnection) throws(StorageError) {
        do {
            try fresh.use { try $0.moveLogIntoFile() }
        } catch {
            throw settings.explained(.sqlite(error))
        }
        rememberFiles()
    }

    private func rememberFiles() {
        if case .file(let path) = settings.store, settings.role == .writer { condition.opened(FileIdentity(at: path)) }
    }

    /// Looks whether what kept everybody from the file is over.
    private func examine(_ reason: StorageError) throws(StorageError) {
        guard settings.store != .memory else { return }
        try condition.checkIdentity(log: reason.code == .logMoved)
        guard reason.isCorrupt else { return }
        connection = nil
        let fresh = try SQLiteConnection(settings)
        do {
            try fresh.use { try $0.checkPages() }
        } catch {
            throw .sqlite(error)
        }
    }
}
