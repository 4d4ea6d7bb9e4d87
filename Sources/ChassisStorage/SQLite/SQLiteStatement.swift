import GRDB
import GRDBSQLite

/// A prepared statement that is bound, stepped and read through SQLite's C interface.
///
/// GRDB opens connections and compiles statements. Running them through its `StatementArguments` and `Row` would box every
/// value, which at tens of thousands of statements a second costs more than SQLite itself; hence the direct calls.
final class SQLiteStatement: SQLCursor {
    let columns: [String]
    private(set) var position = 0
    /// Whether it changes nothing, by SQLite's own judgement.
    let isReadOnly: Bool
    /// Whether it is between `bind` and `close`: a nested use of the same text then needs a statement of its own.
    private(set) var isRunning = false

    private let statement: GRDB.Statement
    private let pointer: OpaquePointer
    private let connection: OpaquePointer
    private let countsChanges: Bool

    /// - Parameter connection: the handle `statement` was prepared on.
    init(_ statement: GRDB.Statement, keyword: String, connection: OpaquePointer) {
        self.statement = statement
        self.connection = connection
        pointer = statement.sqliteStatement
        columns = statement.columnNames
        isReadOnly = sqlite3_stmt_readonly(pointer) != 0
        // Only these set sqlite3_changes; after others it still tells of an earlier statement.
        countsChanges = !isReadOnly && ["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"].contains(keyword)
    }

    /// Binds the values and makes the statement ready for its first step.
    func start(_ values: [SQLValue]) throws(StorageError) {
        guard values.count == Int(sqlite3_bind_parameter_count(pointer)) else {
            throw .misuse("a statement has another number of ? than of values: a literal ? belongs into quotes, a value into \\( )")
        }
        isRunning = true
        for (index, value) in values.enumerated() {
            try bind(value, at: Int32(index + 1))
        }
    }

    /// Runs to the end and returns how many rows were changed.
    func runToEnd() throws(StorageError) -> Int {
        while try next() {}
        return countsChanges ? Int(sqlite3_changes64(connection)) : 0
    }

    func next() throws(StorageError) -> Bool {
        position += 1
        switch sqlite3_step(pointer) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure()
        }
    }

    func value(at index: Int) throws(StorageError) -> SQLValue {
        let index = Int32(index)
        switch sqlite3_column_type(pointer, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(pointer, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(pointer, index))
        case SQLITE_TEXT:
            // The pointer is fetched before the length: the order SQLite asks for.
            guard let text = sqlite3_column_text(pointer, index) else { throw failure() }
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(pointer, index)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            guard let blob = sqlite3_column_blob(pointer, index) else { return .blob([]) }
            return .blob([UInt8](UnsafeRawBufferPointer(start: blob, count: Int(sqlite3_column_bytes(pointer, index)))))
        default: return .null
        }
    }

    /// Resets, and lets go of bound values. The result of a reset repeats the error of the last step, which was thrown already.
    func close() {
        position += 1
        isRunning = false
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    private func bind(_ value: SQLValue, at index: Int32) throws(StorageError) {
        let result =
            switch value {
            case .null: sqlite3_bind_null(pointer, index)
            case .integer(let integer): sqlite3_bind_int64(pointer, index, integer)
            case .real(let real): sqlite3_bind_double(pointer, index, real)
            case .text(let text): bind(text, at: index)
            case .blob(let bytes): bind(bytes, at: index)
            }
        guard result == SQLITE_OK else { throw failure() }
    }

    private func bind(_ text: String, at index: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            // An empty string may come without an address, which SQLite would take for NULL.
            guard let start = bytes.baseAddress else { return sqlite3_bind_text64(pointer, index, "", 0, Self.copied, UInt8(SQLITE_UTF8)) }
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                sqlite3_bind_text64(pointer, index, $0, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    private func bind(_ bytes: [UInt8], at index: Int32) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return sqlite3_bind_zeroblob(pointer, index, 0) }
            return sqlite3_bind_blob64(pointer, index, start, UInt64(bytes.count), Self.copied)
        }
    }

    private func failure() -> StorageError {
        .sqlite(of: connection, isRunning: true)
    }

    /// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}
