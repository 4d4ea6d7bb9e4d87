import Foundation
import Logging
import Testing

@testable import ChassisStorage

/// The databases that the contract suites run against. A driver that joins this list must keep every promise in them.
enum DatabaseFixture: CaseIterable, Sendable, CustomTestStringConvertible {
    case sqliteFile
    case sqliteMemory

    var testDescription: String {
        switch self {
        case .sqliteFile: "SQLite file"
        case .sqliteMemory: "SQLite in memory"
        }
    }

    /// Opens a new, empty database, runs `body`, and removes every trace.
    func run(
        _ migrations: [Migration] = [],
        options: DatabaseOptions = DatabaseOptions(),
        _ body: (Database) async throws -> Void
    ) async throws {
        switch self {
        case .sqliteMemory:
            try await run(.sqliteMemory, migrations, options, body)
        case .sqliteFile:
            try await withTemporaryDirectory { directory in
                try await run(.sqlite(path: directory + "/test.db"), migrations, options, body)
            }
        }
    }

    private func run(
        _ url: DatabaseURL,
        _ migrations: [Migration],
        _ options: DatabaseOptions,
        _ body: (Database) async throws -> Void
    ) async throws {
        let database = try await Database.open(url, migrations: migrations, options: options, logger: .silent)
        do {
            try await body(database)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}

/// A directory of its own for a test, removed afterwards.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("storage-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let result: Result<T, any Error>
    do {
        result = .success(try await body(directory.path))
    } catch {
        result = .failure(error)
    }
    try FileManager.default.removeItem(at: directory)
    return try result.get()
}

/// A table to write into.
let accounts = Migration(
    "001_accounts",
    """
    CREATE TABLE accounts (
        id $id,
        email TEXT NOT NULL UNIQUE,
        balance $integer NOT NULL DEFAULT 0 CONSTRAINT balance_not_negative CHECK (balance >= 0)
    ) $strict;
    CREATE TABLE entries (
        id $id,
        account_id $integer NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
        amount $integer NOT NULL
    ) $strict;
    """)

extension Database {
    /// Inserts an account.
    func addAccount(_ email: String, balance: Int = 0) async throws {
        try await write { tx in
            try tx.execute("INSERT INTO accounts (email, balance) VALUES (\(email), \(balance))")
        }
    }

    var accountCount: Int {
        get async throws {
            try #require(try await read { tx in try tx.value("SELECT count(*) FROM accounts", as: Int.self) })
        }
    }

    func emails() async throws -> [String] {
        try await read { tx in try tx.all("SELECT email FROM accounts ORDER BY id") { try $0["email"] } }
    }
}

struct Refusal: Error, Equatable {}
