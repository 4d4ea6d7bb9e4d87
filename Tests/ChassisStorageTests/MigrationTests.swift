import Foundation
import Logging
import Testing

@testable import ChassisStorage

@Suite("Migrations")
struct MigrationTests {
    private let first = Migration("001_first", "CREATE TABLE one (id $id) $strict; CREATE TABLE two (id $id) $strict")
    private let second = Migration("002_second", "CREATE TABLE three (id $id, size $integer, data $blob, ratio $real) $strict;")

    /// Opens a file with migrations, closes it again, and returns the tables it then has.
    private func tables(after migrations: [Migration], in path: String) async throws -> [String] {
        let database = try await Database.open(.sqlite(path: path), migrations: migrations, logger: .silent)
        let tables = try await database.read { tx in
            try tx.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name") {
                try $0["name"] as String
            }
        }
        await database.close()
        return tables
    }

    private func failure(of migrations: [Migration], in path: String) async -> StorageError? {
        await #expect(throws: StorageError.self) {
            try await Database.open(.sqlite(path: path), migrations: migrations, logger: .silent)
        }
    }

    @Test("migrations run once each, and new ones when they appear, wherever in the list")
    func progress() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/test.db"
            for _ in 1...2 {
                let found = try await tables(after: [first], in: path)
                #expect(found == ["one", "schema_migrations", "two"])
            }
            let found = try await tables(after: [second, first], in: path)
            #expect(found == ["one", "schema_migrations", "three", "two"])
        }
    }

    @Test("an edited migration stops the start")
    func edited() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/test.db"
            _ = try await tables(after: [first], in: path)
            let error = await failure(of: [Migration("001_first", "CREATE TABLE one (id $id) $strict")], in: path)
            #expect(error?.isMigrationError == true)
            #expect(error?.message.contains("001_first was edited") == true)
        }
    }

    @Test("a migration that only a newer build knows stops the start")
    func unknown() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/test.db"
            _ = try await tables(after: [first, second], in: path)
            let error = await failure(of: [first], in: path)
            #expect(error?.message.contains("002_second") == true)
            #expect(error?.message.contains("newer build") == true)
        }
    }

    @Test("a failing script is named and leaves nothing of this start behind")
    func failing() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/test.db"
            let error = await failure(of: [first, Migration("002_wrong", "CREATE TABLE three (id $id); CREATE TABL four")], in: path)
            #expect(error?.message.contains("002_wrong") == true)
            #expect(error?.isMigrationError == true)
            let found = try await tables(after: [], in: path)
            #expect(found == ["schema_migrations"])
        }
    }

    @Test(
        "a script that ends the transaction is refused",
        arguments: ["COMMIT", "CREATE TABLE x (id $id); ROLLBACK; CREATE TABLE y (id $id)"])
    func transactionControl(script: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/test.db"
            #expect(await failure(of: [first, Migration("002_control", script)], in: path)?.isMigrationError == true)
            let found = try await tables(after: [], in: path)
            #expect(found == ["schema_migrations"])
        }
    }

    @Test("two migrations of one name are refused")
    func duplicates() async throws {
        try await withTemporaryDirectory { directory in
            #expect(await failure(of: [first, first], in: directory + "/test.db")?.message.contains("001_first") == true)
        }
    }

    @Test("processes that start together migrate once")
    func together() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/test.db"
            try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 { group.addTask { try await tables(after: [first, second], in: path) } }
                for try await found in group { #expect(found == ["one", "schema_migrations", "three", "two"]) }
            }
        }
    }

    @Test("tokens mean what each dialect writes, and nothing else is touched")
    func tokens() {
        let script = "id $id, n $integer, r $real, b $blob) $strict; $identity $$ $body$ '$5'"
        #expect(
            Migration.expand(script, for: .sqlite)
                == "id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER, r REAL, b BLOB) STRICT; $identity $$ $body$ '$5'")
        #expect(
            Migration.expand(script, for: .postgres)
                == "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n BIGINT, r DOUBLE PRECISION, b BYTEA) ; "
                + "$identity $$ $body$ '$5'"
        )
    }

    @Test("each dialect runs its own script")
    func dialects() {
        let migration = Migration("001_search", sqlite: "A", postgres: "B")
        #expect(migration.script(for: .sqlite) == "A")
        #expect(migration.script(for: .postgres) == "B")
        #expect(migration.checksum(for: .sqlite) == "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd")
        #expect(migration.checksum(for: .sqlite) != migration.checksum(for: .postgres))
    }
}
