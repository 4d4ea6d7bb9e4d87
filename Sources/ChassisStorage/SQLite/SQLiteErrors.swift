import GRDB
import GRDBSQLite

/// SQLite's result codes as ``StorageError``s. See https://www.sqlite.org/rescode.html.
extension StorageError {
    /// - Parameters:
    ///   - code: an extended result code.
    ///   - message: SQLite's message.
    ///   - isRunning: whether values were bound. A generic error then may quote one (full-text search quotes its query), so that
    ///     its text is dropped; constraint errors name only tables, columns and constraints.
    static func sqlite(code: Int32, message: String, isRunning: Bool) -> StorageError {
        switch ResultCode(rawValue: code) {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            return .uniqueViolation(constraint: subject(of: message))
        case .SQLITE_CONSTRAINT_FOREIGNKEY:
            return .foreignKeyViolation
        case .SQLITE_CONSTRAINT_CHECK:
            return .checkViolation(constraint: subject(of: message))
        case .SQLITE_CONSTRAINT_NOTNULL:
            return .notNullViolation(column: subject(of: message))
        default:
            return general(code: code, message: message, isRunning: isRunning)
        }
    }

    /// What GRDB threw when it opened a connection, prepared a statement or ran a migration script, none of which bind values.
    static func sqlite(_ error: any Error) -> StorageError {
        if let error = error as? StorageError { return error }
        guard let error = error as? DatabaseError else { return StorageError(.unavailable, "the database failed: \(type(of: error))") }
        return sqlite(code: error.extendedResultCode.rawValue, message: error.message ?? "no message", isRunning: false)
    }

    private static func general(code: Int32, message: String, isRunning: Bool) -> StorageError {
        let detail = " (SQLite \(code))"
        // A primary code here matches all of its extended codes.
        switch ResultCode(rawValue: code) {
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .busy
        case .SQLITE_FULL: return .diskFull
        case .SQLITE_READONLY: return StorageError(.readOnly, readOnly.message + detail)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return StorageError(.corrupt, corrupt.message + detail)
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_NOMEM, .SQLITE_NOLFS, .SQLITE_PROTOCOL:
            return StorageError(.unavailable, unavailable.message + ": \(String(cString: sqlite3_errstr(code)))" + detail)
        case .SQLITE_CONSTRAINT: return .statement(message + detail)
        default: return .statement((isRunning ? "the statement failed while it ran" : message) + detail)
        }
    }

    /// `users.email` of `UNIQUE constraint failed: users.email`.
    private static func subject(of message: String) -> String? {
        message.firstRange(of: ": ").map { String(message[$0.upperBound...]) }
    }
}
