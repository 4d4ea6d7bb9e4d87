// The seam between the public layer and a database.
//
// Everything that services see (`Database`, `Transaction`, `Row`, `SQL`, `StorageError`) is written once above this file. A
// database is a `DatabaseDriver`, which owns threads and connections, and a `SQLConnection` with its `SQLCursor`, which run
// statements synchronously on one of those threads. To add a database:
//
// 1. Write the three types in a folder of their own and add a case to `DatabaseURL.Location` and to `Database.open`.
// 2. Make every closure a `PendingWork` and hand it to a `WorkQueue` that your threads serve: bounds, cancellation and the way
//    back to the caller come with them.
// 3. Before `open` returns, run `MigrationRunner.run` in one transaction under a lock that other processes respect: BEGIN IMMEDIATE
//    on SQLite, `pg_advisory_xact_lock` on Postgres.
// 4. Turn every error into a `StorageError` by code, never by text, and let no bound value into its message.
// 5. Give what cannot be had in one dialect the same error in the other, and add the database to the contract suites' fixtures: they are
//    the definition of what services rely on.
//
// `Transaction` already keeps these promises for every driver, so a driver need not: nothing runs after a failed statement
// until the savepoint around it has rolled back (as Postgres demands anyway); a closure that swallows such a failure fails;
// actions after commit are dropped with the savepoint they belong to; nothing works once the closure has returned.

/// A database: threads and connections behind ``Database``.
protocol DatabaseDriver: AnyObject, Sendable {
    var dialect: Dialect { get }

    /// Runs `body` in a snapshot of committed data. Writing in it fails.
    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T

    /// Runs `body` in a transaction and returns once that is durable. A throwing `body` leaves nothing behind.
    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T

    /// Returns unless it is known that writing fails, which it tries again then.
    ///
    /// - Throws: ``StorageError`` with a sentence for the person who has to mend it.
    func check() async throws

    /// Takes no more work, finishes what waits, and returns once all connections are closed. May be called again.
    func close() async

    /// As ``close()``, without waiting: for a database that nobody refers to any longer.
    func abandon()
}

/// One connection, used by one thread, inside a transaction that the driver began and will end.
protocol SQLConnection: AnyObject {
    /// Runs a statement to its end and returns how many rows it inserted, updated or deleted.
    func execute(_ statement: SQL) throws(StorageError) -> Int

    /// Starts a statement that gives rows. The caller closes the cursor before the transaction ends.
    func cursor(_ query: SQL) throws(StorageError) -> any SQLCursor

    /// Runs the statements of a migration script, which bind no values.
    func executeScript(_ script: String) throws(StorageError)

    /// Begins, forgets or undoes the innermost savepoint. Undoing also ends it.
    func beginSavepoint() throws(StorageError)
    func releaseSavepoint() throws(StorageError)
    func rollBackSavepoint() throws(StorageError)
}

/// The rows of a running statement.
protocol SQLCursor: AnyObject {
    /// The names of the columns, in order.
    var columns: [String] { get }
    /// Changes with every step and with `close`, so that a row knows whether it is still the current one.
    var position: Int { get }
    /// Moves to the next row; false at the end.
    func next() throws(StorageError) -> Bool
    /// A value of the current row.
    func value(at index: Int) throws(StorageError) -> SQLValue
    func close()
}
