/// What can go wrong with a database, in the same words for every driver.
///
/// The kind is private so that it can grow; ask with `isUniqueViolation` and its siblings. Nobody should read ``message`` to
/// decide anything: it is for a log. It never holds a bound value, hence no personal data.
public struct StorageError: Error, Hashable, CustomStringConvertible {
    enum Code: Hashable, Sendable {
        case uniqueViolation, foreignKeyViolation, checkViolation, notNullViolation
        case busy, overloaded, unavailable
        case corrupt, diskFull, readOnly, moved, logMoved
        case statement, conversion, misuse, migration, url
    }

    let code: Code

    /// What happened, for a log: one sentence without any bound value.
    public let message: String

    /// The constraint that was violated as the driver names it: `users.email` on SQLite, the constraint's name on Postgres.
    public let constraint: String?

    init(_ code: Code, _ message: String, constraint: String? = nil) {
        self.code = code
        self.message = message
        self.constraint = constraint
    }

    public var description: String { message }
}

// MARK: - The errors

extension StorageError {
    /// A row with the same value of a unique column or index, or the same primary key, exists already.
    public static func uniqueViolation(constraint: String?) -> StorageError {
        StorageError(.uniqueViolation, "a unique constraint was violated\(named(constraint))", constraint: constraint)
    }

    /// A row refers to a row that does not exist, or a row that others refer to was to go.
    public static func foreignKeyViolation(constraint: String?) -> StorageError {
        StorageError(.foreignKeyViolation, "a foreign key was violated\(named(constraint))", constraint: constraint)
    }

    /// A row breaks a CHECK of the schema.
    public static func checkViolation(constraint: String?) -> StorageError {
        StorageError(.checkViolation, "a check was violated\(named(constraint))", constraint: constraint)
    }

    /// A column that must have a value got none.
    public static func notNullViolation(column: String?) -> StorageError {
        StorageError(.notNullViolation, "a required column got no value\(named(column))", constraint: column)
    }

    public static let foreignKeyViolation = foreignKeyViolation(constraint: nil)
    public static let checkViolation = checkViolation(constraint: nil)

    /// Another process held the database's lock longer than the busy timeout. A later attempt can succeed.
    public static let busy = StorageError(.busy, "the database is locked by another process")

    /// So many statements wait already that this one was refused at once. Nothing was done; a later attempt can succeed.
    public static let overloaded = StorageError(.overloaded, "too many requests wait for the database")

    /// The database cannot be reached: it is closed, its file is gone, or its server is down.
    public static let unavailable = StorageError(.unavailable, "the database is not available")

    /// The file is damaged, or is not a database.
    public static let corrupt = StorageError(.corrupt, "the database file is damaged or is not a database")

    /// No space is left. Nothing was changed; writes work again once there is space.
    public static let diskFull = StorageError(.diskFull, "no space is left for the database")

    /// The database file cannot be written.
    public static let readOnly = StorageError(.readOnly, "the database file cannot be written")

    /// The file was deleted or replaced while it was open: what is written into it now would be gone with the process.
    public static func moved(_ explanation: String) -> StorageError {
        StorageError(.moved, "the database file was deleted or replaced: \(explanation)")
    }

    /// The same of the log beside the file.
    public static func logMoved(_ explanation: String) -> StorageError {
        StorageError(.logMoved, "the database's log was deleted or replaced: \(explanation)")
    }

    /// The program used the storage layer in a way it does not allow; `explanation` says how and what to do instead.
    public static func misuse(_ explanation: String) -> StorageError { StorageError(.misuse, explanation) }

    /// The schema cannot be brought to the state this build needs.
    public static func migration(_ explanation: String) -> StorageError { StorageError(.migration, explanation) }

    /// A column's value is not what the program takes it for.
    public static func conversion(_ explanation: String) -> StorageError { StorageError(.conversion, explanation) }

    /// The database rejects a statement: a mistake in its text, an unknown table, a failed function.
    public static func statement(_ explanation: String) -> StorageError { StorageError(.statement, explanation) }

    private static func named(_ constraint: String?) -> String { constraint.map { ": \($0)" } ?? "" }
}

// MARK: - The questions

extension StorageError {
    public var isUniqueViolation: Bool { code == .uniqueViolation }
    public var isForeignKeyViolation: Bool { code == .foreignKeyViolation }
    public var isCheckViolation: Bool { code == .checkViolation }
    public var isNotNullViolation: Bool { code == .notNullViolation }
    public var isBusy: Bool { code == .busy }
    public var isOverloaded: Bool { code == .overloaded }
    public var isUnavailable: Bool { code == .unavailable }
    public var isCorrupt: Bool { code == .corrupt }
    public var isDiskFull: Bool { code == .diskFull }
    public var isReadOnly: Bool { code == .readOnly }
    public var isMoved: Bool { code == .moved || code == .logMoved }
    public var isStatementError: Bool { code == .statement }
    public var isConversionError: Bool { code == .conversion }
    public var isMisuse: Bool { code == .misuse }
    public var isMigrationError: Bool { code == .migration }

    /// Whether the same call may succeed later without a change of the program or the schema, be it after a person has mended the disk: an
    /// HTTP service answers 503, and no job or event is blamed.
    public var isTransient: Bool {
        switch code {
        case .busy, .overloaded, .unavailable, .diskFull, .readOnly, .corrupt, .moved, .logMoved: true
        default: false
        }
    }

    /// What a person can do about it; nil when there is nothing to do but wait, or the program is wrong.
    public var remedy: String? {
        switch code {
        case .diskFull: "free some space: it then goes on by itself"
        case .readOnly: "make the file, its directory and their file system writable: it then goes on by itself"
        case .corrupt:
            "stop the service, put back a good copy and remove the -wal and -shm files of the damaged one, or save what can be saved with "
                + "sqlite3's .recover, then start it"
        case .moved:
            "put the file back, and it goes on by itself; to use another one, stop the service, remove the -wal and -shm files of the former "
                + "one, and start it"
        case .logMoved: "stop the service, but not by force: at its end it moves what was in the log into the file; then start it"
        case .unavailable: "look at the disk, at the file and at its directory"
        case .busy: "end the other process that uses the file"
        default: nil
        }
    }

    /// Whether the connection that met this error may hold on to what is wrong, such as a damaged page in its cache, so that a
    /// new one is needed to see that the cause was mended.
    var spoilsConnection: Bool {
        switch code {
        case .corrupt, .unavailable, .readOnly: true
        default: false
        }
    }
}
