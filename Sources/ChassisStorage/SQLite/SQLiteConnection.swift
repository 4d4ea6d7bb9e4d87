import GRDB
import GRDBSQLite

/// One SQLite connection with its prepared statements, used by the one thread that opened it.
final class SQLiteConnection: SQLConnection {
    enum Mode { case reading, writing }

    /// Statements kept prepared. A service has a few dozen; lists of varying length make more, which are let go together.
    private static let statementLimit = 128

    private let queue: DatabaseQueue
    private let database: GRDB.Database
    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]
    /// The driver's own, kept apart so that no caller's text finds them.
    private var controls: [Control: SQLiteStatement] = [:]
    private var mode = Mode.reading

    /// - Throws: ``StorageError``.
    init(_ settings: SQLiteSettings) throws(StorageError) {
        do {
            queue = try settings.open()
            // GRDB hands the database out inside an access only. It is one object for the connection's life, and `use` wraps every call.
            (database, handle) = try queue.writeWithoutTransaction { database in
                guard let handle = database.sqliteConnection else { throw StorageError.unavailable }
                return (database, handle)
            }
        } catch {
            throw settings.explained(.sqlite(error))
        }
    }

    /// Every use of a connection goes through here: it is what GRDB requires. Runs on the calling thread.
    func use<T>(_ body: (SQLiteConnection) throws -> T) rethrows -> T {
        try queue.writeWithoutTransaction { _ in try body(self) }
    }

    func setBusyTimeout(milliseconds: Int) {
        sqlite3_busy_timeout(handle, Int32(clamping: milliseconds))
    }

    /// Whether a transaction is open. SQLite ends one by itself on some errors, such as a full disk.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Whether a deferred foreign key is violated at this moment, which would fail the commit.
    var hasDeferredViolation: Bool {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0)
        return current != 0
    }

    // MARK: Transactions

    /// `.writing` takes the write lock at once, so that a transaction never fails half way because another process has it.
    func begin(_ mode: Mode) throws(StorageError) {
        self.mode = mode
        switch mode {
        case .reading: try run(.begin)
        case .writing: try run(.beginImmediate)
        }
    }

    func commit() throws(StorageError) { try run(.commit) }

    /// Leaves no transaction open, whatever happened before.
    func rollBack() throws(StorageError) {
        guard isInTransaction else { return }
        try run(.rollBack)
    }

    /// Moves the whole log into the file, durably. While another connection reads it stays as it is: then it was not opened afresh either.
    func moveLogIntoFile() throws(StorageError) {
        let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard result == SQLITE_OK || result == SQLITE_BUSY else { throw .sqlite(of: handle, isRunning: false) }
    }

    /// Reads every page.
    ///
    /// - Throws: ``StorageError/corrupt`` at the first one that is not as it should be.
    func checkPages() throws(StorageError) {
        let check = try compiled("PRAGMA quick_check(1)", keyword: "")
        defer { check.close() }
        try check.start([])
        guard try check.next(), try check.value(at: 0) == .text("ok") else { throw .corrupt }
    }

    func beginSavepoint() throws(StorageError) { try run(.savepoint) }

    func releaseSavepoint() throws(StorageError) { try run(.release) }

    func rollBackSavepoint() throws(StorageError) {
        try run(.rollBackTo)
        try run(.release)
    }

    /// The statements that only the driver may run.
    private enum Control: String {
        case begin = "BEGIN"
        case beginImmediate = "BEGIN IMMEDIATE"
        case commit = "COMMIT"
        case rollBack = "ROLLBACK"
        // SQLite resolves a name to the innermost savepoint that has it, so one name serves any depth.
        case savepoint = "SAVEPOINT inner"
        case release = "RELEASE inner"
        case rollBackTo = "ROLLBACK TO inner"
    }

    private func run(_ control: Control) throws(StorageError) {
        let statement: SQLiteStatement
        if let known = controls[control] {
            statement = known
        } else {
            statement = try compiled(control.rawValue, keyword: "")
            controls[control] = statement
        }
        defer { statement.close() }
        try statement.start([])
        _ = try statement.runToEnd()
    }

    // MARK: Statements

    func execute(_ statement: SQL) throws(StorageError) -> Int {
        let running = try started(statement)
        defer { running.close() }
        return try running.runToEnd()
    }

    func cursor(_ query: SQL) throws(StorageError) -> any SQLCursor {
        try started(query)
    }

    func executeScript(_ script: String) throws(StorageError) {
        do {
            let statements = try database.allStatements(sql: script)
            while let statement = try statements.next() {
                try Self.refuseControl(Self.keyword(of: statement.sql))
                try statement.execute()
            }
        } catch {
            throw .sqlite(error)
        }
    }

    private func started(_ statement: SQL) throws(StorageError) -> SQLiteStatement {
        let running = try prepared(statement.text)
        guard running.isReadOnly || mode == .writing else { throw .misuse("a read was to change the database: use write") }
        do {
            try running.start(statement.values)
        } catch {
            running.close()
            throw error
        }
        return running
    }

    private func prepared(_ text: String) throws(StorageError) -> SQLiteStatement {
        let known = statements[text]
        if let known, !known.isRunning { return known }
        let keyword = Self.keyword(of: text)
        try Self.refuseControl(keyword)
        let fresh = try compiled(text, keyword: keyword)
        // The same text is running already: the nested one serves once.
        if known != nil { return fresh }
        if statements.count >= Self.statementLimit { statements.removeAll(keepingCapacity: true) }
        statements[text] = fresh
        return fresh
    }

    private func compiled(_ text: String, keyword: String) throws(StorageError) -> SQLiteStatement {
        do {
            return SQLiteStatement(try database.makeStatement(sql: text), keyword: keyword, connection: handle)
        } catch {
            throw .sqlite(error)
        }
    }

    /// The driver alone begins and ends transactions: a COMMIT in one closure would publish half of its neighbours' work.
    private static func refuseControl(_ keyword: String) throws(StorageError) {
        switch keyword {
        case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH":
            throw .misuse("\(keyword) is the storage layer's own business: use write and savepoint")
        default: return
        }
    }

    /// The first word of a statement in capitals, after any comments.
    private static func keyword(of text: String) -> String {
        var rest = text[...]
        while true {
            rest = rest.drop { $0.isWhitespace }
            if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                rest = rest.firstRange(of: "*/").map { rest[$0.upperBound...] } ?? ""
            } else {
                return rest.prefix { $0.isLetter }.uppercased()
            }
        }
    }
}
