import GRDB
import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// SQLite's result codes as ``StorageError``s. See https://www.sqlite.org/rescode.html.
extension StorageError {
    /// What a connection's last call met.
    static func sqlite(of connection: OpaquePointer, isRunning: Bool) -> StorageError {
        sqlite(
            code: sqlite3_extended_errcode(connection), message: String(cString: sqlite3_errmsg(connection)), isRunning: isRunning,
            systemError: sqlite3_system_errno(connection))
    }

    /// - Parameters:
    ///   - code: an extended result code.
    ///   - message: SQLite's message.
    ///   - systemError: the system's error behind a failure to read or write, where it is known.
    ///   - isRunning: whether values were bound. A generic error then may quote one (full-text search quotes its query), so that
    ///     its text is dropped; constraint errors name only tables, columns and constraints.
    static func sqlite(code: Int32, message: String, isRunning: Bool, systemError: Int32 = 0) -> StorageError {
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
            return general(code: code, message: message, isRunning: isRunning, systemError: systemError)
        }
    }

    /// What GRDB threw when it opened a connection, prepared a statement or ran a migration script, none of which bind values.
    static func sqlite(_ error: any Error) -> StorageError {
        if let error = error as? StorageError { return error }
        guard let error = error as? DatabaseError else { return StorageError(.unavailable, "the database failed: \(type(of: error))") }
        return sqlite(code: error.extendedResultCode.rawValue, message: error.message ?? "no message", isRunning: false)
    }

    private static func general(code: Int32, message: String, isRunning: Bool, systemError: Int32) -> StorageError {
        let detail = " (SQLite \(code))"
        // A primary code here matches all of its extended codes.
        switch ResultCode(rawValue: code) {
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .busy
        // The shared memory beside the log is only ever grown.
        case .SQLITE_FULL, .SQLITE_IOERR_SHMSIZE: return StorageError(.diskFull, diskFull.message + detail)
        case .SQLITE_READONLY: return StorageError(.readOnly, readOnly.message + detail)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return StorageError(.corrupt, corrupt.message + detail)
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM:
            return disk(systemError, detail) ?? outOfReach(code, detail)
        case .SQLITE_AUTH, .SQLITE_NOMEM, .SQLITE_NOLFS, .SQLITE_PROTOCOL:
            return outOfReach(code, detail)
        case .SQLITE_CONSTRAINT: return .statement(message + detail)
        default: return .statement((isRunning ? "the statement failed while it ran" : message) + detail)
        }
    }

    /// What the system says of the disk; nil when that is nothing in particular.
    private static func disk(_ systemError: Int32, _ detail: String) -> StorageError? {
        switch systemError {
        case ENOSPC, EDQUOT: StorageError(.diskFull, diskFull.message + detail)
        case EROFS, EACCES, EPERM: StorageError(.readOnly, readOnly.message + detail)
        default: nil
        }
    }

    private static func outOfReach(_ code: Int32, _ detail: String) -> StorageError {
        StorageError(.unavailable, unavailable.message + ": \(String(cString: sqlite3_errstr(code)))" + detail)
    }

    /// `users.email` of `UNIQUE constraint failed: users.email`.
    private static func subject(of message: String) -> String? {
        message.firstRange(of: ": ").map { String(message[$0.upperBound...]) }
    }
}
