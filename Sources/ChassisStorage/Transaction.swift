/// A transaction's statements, valid only inside the closure that received it.
///
/// The closure is synchronous, so nothing can be awaited while the transaction holds its locks. Keep it short: on SQLite every
/// other writer waits for it. A transaction kept beyond its closure refuses every statement with a misuse error.
///
/// **After a statement failed** the transaction takes no further statements, and the closure cannot succeed by ignoring the
/// error: everything it did is rolled back. This is how Postgres works, and SQLite follows so that code tested on one runs on
/// the other. Where a failure is expected, put the statement into a ``savepoint(_:)``, or avoid it with `ON CONFLICT`:
///
/// ```swift
/// do {
///     try tx.savepoint { try tx.execute("INSERT INTO users (email) VALUES (\(email))") }
/// } catch let error as StorageError where error.isUniqueViolation {
///     // the transaction goes on
/// }
/// ```
public final class Transaction {
    public let dialect: Dialect

    private let connection: any SQLConnection
    private var isOpen = true
    /// The failure that keeps further statements out until the savepoint around it has rolled back.
    private(set) var failure: StorageError?
    /// The last failure after which the driver should use another connection, even if a savepoint or the caller dealt with it.
    private(set) var spoilt: StorageError?
    private var commitActions: [@Sendable () -> Void] = []
    /// Is told of every statement before it runs.
    var observer: (@Sendable (SQL) -> Void)?

    init(_ connection: any SQLConnection, dialect: Dialect) {
        self.connection = connection
        self.dialect = dialect
    }

    /// Runs a statement and returns how many rows it inserted, updated or deleted.
    ///
    /// - Throws: ``StorageError``.
    @discardableResult
    public func execute(_ statement: SQL) throws -> Int {
        observer?(statement)
        return try guarded { () throws(StorageError) in
            try refuseNUL(in: statement.values)
            return try connection.execute(statement)
        }
    }

    /// All rows of a query, or of a statement with `RETURNING`, mapped one by one.
    ///
    /// - Throws: ``StorageError``, or what `map` throws.
    public func all<T>(_ query: SQL, _ map: (Row) throws -> T) throws -> [T] {
        let cursor = try started(query)
        defer { cursor.close() }
        var results: [T] = []
        while try guarded({ () throws(StorageError) in try cursor.next() }) {
            results.append(try map(Row(of: cursor)))
        }
        return results
    }

    /// The first row of a query, or nil when there is none. A statement with `RETURNING` does all its work nevertheless.
    ///
    /// - Throws: ``StorageError``, or what `map` throws.
    public func first<T>(_ query: SQL, _ map: (Row) throws -> T) throws -> T? {
        let cursor = try started(query)
        defer { cursor.close() }
        guard try guarded({ () throws(StorageError) in try cursor.next() }) else { return nil }
        return try map(Row(of: cursor))
    }

    /// The first column of the first row, or nil when there is no row.
    ///
    /// A NULL throws unless `T` is optional: `value("SELECT max(id) …", as: Int64?.self)` gives an `Int64??`.
    ///
    /// - Throws: ``StorageError``.
    public func value<T: SQLValueConvertible>(_ query: SQL, as type: T.Type = T.self) throws -> T? {
        try first(query) { try $0.first() }
    }

    /// Runs `body` so that its failure undoes only what it did, and rethrows. Savepoints nest.
    @discardableResult
    public func savepoint<T>(_ body: () throws -> T) throws -> T {
        try guarded { () throws(StorageError) in try connection.beginSavepoint() }
        let actionsBefore = commitActions.count
        do {
            let result = try body()
            if let failure { throw failure }
            try guarded { () throws(StorageError) in try connection.releaseSavepoint() }
            return result
        } catch {
            commitActions.removeSubrange(actionsBefore...)
            do throws(StorageError) {
                try connection.rollBackSavepoint()
                failure = nil
            } catch let rollbackError {
                // The whole transaction is gone, such as after a full disk: nothing may go on as if it were there.
                failure = failure ?? rollbackError
            }
            throw error
        }
    }

    /// Runs `action` once, after what the transaction did is committed and before its caller resumes.
    ///
    /// It never runs when the closure, the savepoint it was asked for in, or the commit fails. In a read it runs when the read
    /// has ended. It runs on the database's thread: signal somebody, do not work.
    public func afterCommit(_ action: @escaping @Sendable () -> Void) {
        commitActions.append(action)
    }
}

// MARK: - For drivers

extension Transaction {
    /// Runs a caller's closure to its end and closes the transaction.
    ///
    /// - Throws: what `body` throws, or the statement's failure that `body` swallowed.
    func run<T>(_ body: (Transaction) throws -> T) throws -> T {
        defer { isOpen = false }
        let result = try body(self)
        if let failure { throw failure }
        return result
    }

    /// The actions to run after the commit, in the order they were asked for.
    func takeCommitActions() -> [@Sendable () -> Void] {
        defer { commitActions = [] }
        return commitActions
    }

    /// Runs the statements of a migration.
    func executeScript(_ script: String) throws {
        try guarded { () throws(StorageError) in try connection.executeScript(script) }
    }

    private func started(_ query: SQL) throws -> any SQLCursor {
        observer?(query)
        return try guarded { () throws(StorageError) in
            try refuseNUL(in: query.values)
            return try connection.cursor(query)
        }
    }

    /// Postgres cannot store U+0000 in text, and a statement must mean the same in both dialects.
    private func refuseNUL(in values: [SQLValue]) throws(StorageError) {
        for case .text(let text) in values where text.containsNUL {
            throw .conversion("a text to be stored holds a NUL character")
        }
    }

    private func guarded<T>(_ body: () throws(StorageError) -> T) throws(StorageError) -> T {
        guard isOpen else { throw .misuse("a transaction was used after its closure had returned") }
        if let failure {
            throw .misuse("a statement failed before (\(failure.message)): only a savepoint lets a transaction go on after a failure")
        }
        do {
            return try body()
        } catch {
            failure = error
            if error.spoilsConnection { spoilt = error }
            throw error
        }
    }
}

extension String {
    fileprivate var containsNUL: Bool {
        utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0)
    }
}

@available(*, unavailable)
extension Transaction: Sendable {}
