/// Where a database is: the value of `DATABASE_URL`.
///
/// | text | means |
/// | --- | --- |
/// | `sqlite:PATH` | a SQLite file; a relative path starts at the working directory |
/// | `sqlite::memory:` | a SQLite database in memory that ends with the process |
/// | `postgres://user:password@host:5432/name?sslmode=require` | a Postgres database, in libpq's URI form |
///
/// `description` and reflection hide a password.
public struct DatabaseURL: Sendable, Hashable {
    enum Location: Sendable, Hashable {
        case sqliteFile(path: String)
        case sqliteMemory
        case postgres(uri: String)
    }

    let location: Location

    /// Reads the text of a `DATABASE_URL`.
    ///
    /// - Throws: ``StorageError`` with a sentence that names the accepted forms, and never the text, which may hold a password.
    public init(_ text: String) throws(StorageError) {
        if text == "sqlite::memory:" {
            location = .sqliteMemory
        } else if text.hasPrefix("sqlite:") {
            let path = String(text.dropFirst("sqlite:".count))
            guard !path.isEmpty, !path.hasPrefix("//"), !path.utf8.contains(0) else {
                throw StorageError(.url, "a SQLite database is written sqlite:PATH, such as sqlite:data/orders.db")
            }
            location = .sqliteFile(path: path)
        } else if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            location = .postgres(uri: text)
        } else {
            throw StorageError(.url, "a database is written sqlite:PATH, sqlite::memory: or postgres://user:password@host/name")
        }
    }

    private init(_ location: Location) { self.location = location }

    /// A SQLite file.
    public static func sqlite(path: String) -> DatabaseURL { DatabaseURL(.sqliteFile(path: path)) }

    /// A SQLite database in memory, of its own for each one that is opened.
    public static let sqliteMemory = DatabaseURL(.sqliteMemory)

    public var dialect: Dialect {
        switch location {
        case .sqliteFile, .sqliteMemory: .sqlite
        case .postgres: .postgres
        }
    }
}

extension DatabaseURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL as it may be logged: a password is `***`, and so are all parameters, for a password may stand there too.
    public var description: String {
        switch location {
        case .sqliteFile(let path): "sqlite:\(path)"
        case .sqliteMemory: "sqlite::memory:"
        case .postgres(let uri): Self.redacted(uri)
        }
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }

    /// Shows what is certainly no secret. Where a password was not percent-encoded and the parts cannot be told apart, shows nothing.
    private static func redacted(_ uri: String) -> String {
        guard let start = uri.firstRange(of: "://")?.upperBound else { return "***" }
        let scheme = uri[..<start]
        let parts = uri[start...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let parameters = parts.count > 1 ? "?***" : ""
        guard !(parts.count > 1 && parts[1].contains("@")) else { return scheme + "***" }
        let sides = parts[0].split(separator: "@", omittingEmptySubsequences: false)
        switch sides.count {
        case 1: return scheme + sides[0] + parameters
        case 2 where !sides[0].contains("/"):
            let user = sides[0].prefix { $0 != ":" }
            return scheme + user + (user.count < sides[0].count ? ":***" : "") + "@" + sides[1] + parameters
        default: return scheme + "***"
        }
    }
}
