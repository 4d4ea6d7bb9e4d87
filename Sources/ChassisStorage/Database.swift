public import Logging
import Tracing

/// A database, SQLite or Postgres, behind one small interface.
///
/// ```swift
/// let database = try await Database.open(DatabaseURL("sqlite:orders.db"), migrations: Order.migrations, logger: logger)
/// let name = try await database.read { tx in
///     try tx.value("SELECT name FROM products WHERE id = \(id)", as: String.self)
/// }
/// ```
///
/// Closures are synchronous and run on the database's own threads, never on an event loop or the cooperative pool. They are
/// `@Sendable` and return `Sendable` values, so neither the transaction nor a row can get out of them.
public struct Database: Sendable {
    private let handle: Handle
    private var driver: any DatabaseDriver { handle.driver }

    init(driver: any DatabaseDriver) { handle = Handle(driver) }

    /// Opens a database and brings its schema up to date, under a lock, before it returns.
    ///
    /// - Parameters:
    ///   - migrations: every migration ever released, in order. See ``Migration``.
    ///   - logger: hears of opening, of applied migrations, and once of each kind of trouble and its end.
    /// - Throws: ``StorageError``, with a sentence for a person, when the database cannot be opened or migrated.
    public static func open(
        _ url: DatabaseURL,
        migrations: [Migration],
        options: DatabaseOptions = DatabaseOptions(),
        logger: Logger
    ) async throws -> Database {
        let driver: any DatabaseDriver
        switch url.location {
        case .sqliteFile where options.execution == .callersThread, .postgres where options.execution == .callersThread:
            throw StorageError.misuse("only a database in memory runs on its callers' threads")
        case .sqliteFile(let path):
            driver = try await SQLiteDriver.open(.file(following: path), migrations: migrations, options: options, logger: logger)
        case .sqliteMemory where options.execution == .callersThread:
            driver = try CallersThreadDriver(migrations: migrations, options: options, logger: logger)
        case .sqliteMemory:
            driver = try await SQLiteDriver.open(.memory, migrations: migrations, options: options, logger: logger)
        case .postgres:
            throw StorageError(.url, "this build has no Postgres driver; use sqlite:PATH")
        }
        return Database(driver: driver)
    }

    /// Opens a database that exists, to look at it: it is read as it is, and nothing is created, migrated or changed.
    ///
    /// The service that owns it may run, have stopped, or have been killed with a log still to be read. What it commits later is seen by later
    /// reads, unless it was at rest when it was opened: should it be started meanwhile, open it anew.
    ///
    /// - Throws: ``StorageError``, with a sentence for a person, when there is none, or none of Souk's.
    public static func openForReading(
        _ url: DatabaseURL, options: DatabaseOptions = DatabaseOptions(readers: 1), logger: Logger
    ) async throws -> Database {
        guard case .sqliteFile(let path) = url.location else {
            throw StorageError(.url, "this build reads sqlite:PATH only; it has no Postgres driver")
        }
        let database = Database(driver: SQLiteDriver.openForReading(.file(following: path), options: options, logger: logger))
        do {
            try await database.ping()
        } catch {
            await database.close()
            throw error
        }
        return database
    }

    /// Runs `body` in a snapshot: it sees all that was committed before, nothing else, and nothing that is committed meanwhile.
    ///
    /// Writing in it fails with a misuse error. A read never waits for a writer.
    ///
    /// - Throws: what `body` throws; ``StorageError``; `CancellationError` when the task was cancelled before `body` began.
    public func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await driver.read(body)
    }

    /// Runs `body` in a transaction and returns after the commit is durable (on SQLite: after its fsync).
    ///
    /// All or nothing: when `body` throws, nothing of it remains. Writes on SQLite run one at a time in the order they came and
    /// share commits; `body` never notices but in speed. An error of the commit itself is thrown to every caller that shared
    /// it, and means that the write is not known to have happened.
    ///
    /// - Throws: what `body` throws; ``StorageError``; `CancellationError` when the task was cancelled before `body` began. Once
    ///   it began, it is carried out and its result delivered.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        // The caller's trace goes along to the database's thread: events and jobs that are written there belong to it.
        guard let context = ServiceContext.current else { return try await driver.write(body) }
        return try await driver.write { transaction in
            try ServiceContext.withValue(context) { try body(transaction) }
        }
    }

    /// Returns if the database answers a query, and if writing works as far as is known: when the last write failed, another is tried. For
    /// readiness.
    ///
    /// - Throws: ``StorageError``, with a sentence for the person who has to mend it.
    public func ping() async throws {
        try await driver.check()
        _ = try await read { try $0.value("SELECT count(*) FROM schema_migrations", as: Int64.self) }
    }

    /// Finishes the work that waits, refuses more with ``StorageError/unavailable``, and returns once every connection is closed.
    public func close() async { await driver.close() }

    public var dialect: Dialect { driver.dialect }
}

extension Database {
    /// Ends the driver's threads when the last copy of a database that nobody closed is gone.
    private final class Handle: Sendable {
        let driver: any DatabaseDriver
        init(_ driver: any DatabaseDriver) { self.driver = driver }
        deinit { driver.abandon() }
    }
}
