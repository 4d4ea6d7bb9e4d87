import Foundation
import Testing

@testable import ChassisStorage

@Suite("A file that is deleted or replaced under a running service")
struct MovedFileTests {
    private func withOpenFile(_ body: (_ path: String, Database) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            let database = try await Database.open(.sqlite(path: path), migrations: [accounts], logger: .silent)
            try await database.addAccount("before")
            try await body(path, database)
            await database.close()
        }
    }

    @Test("nothing is acknowledged into a file without a name; put back, it goes on with all it had")
    func moved() async throws {
        try await withOpenFile { path, database in
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            for _ in 0..<3 {
                let error = await #expect(throws: StorageError.self) { try await database.addAccount("lost?") }
                #expect(error?.isMoved == true && error?.isTransient == true)
                #expect(error?.message.contains("\(path) is gone") == true)
                let reading = await #expect(throws: StorageError.self) { try await database.emails() }
                #expect(reading?.isMoved == true)
            }
            // None was made in its place.
            #expect(!FileManager.default.fileExists(atPath: path))
            let ready = await #expect(throws: StorageError.self) { try await database.ping() }
            #expect(ready?.message.contains("put the file back") == true)
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            try await database.ping()
            try await database.addAccount("after")
            // The first one had been committed when its file was found missing: it is there, as after a lost answer.
            #expect(try await database.emails() == ["before", "lost?", "after"])
        }
    }

    @Test("readiness sees it without anybody writing")
    func readiness() async throws {
        try await withOpenFile { path, database in
            try await database.ping()
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            let error = await #expect(throws: StorageError.self) { try await database.ping() }
            #expect(error?.isMoved == true)
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            try await database.ping()
        }
    }

    @Test("another file under the name is neither read nor written")
    func replaced() async throws {
        try await withOpenFile { path, database in
            let other = try await Database.open(.sqlite(path: path + ".other"), migrations: [accounts], logger: .silent)
            try await other.addAccount("another shop")
            await other.close()
            let bytes = try Data(contentsOf: URL(filePath: path + ".other"))
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            try FileManager.default.moveItem(atPath: path + ".other", toPath: path)
            let error = await #expect(throws: StorageError.self) { try await database.addAccount("lost?") }
            #expect(error?.message.contains("is another file than the one that was opened") == true)
            await #expect(throws: StorageError.self) { try await database.emails() }
            #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
        }
    }

    @Test("a log that is deleted stops everything, and a graceful end saves what was in it")
    func logDeleted() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            let database = try await Database.open(.sqlite(path: path), migrations: [accounts], logger: .silent)
            try await database.addAccount("before")
            try FileManager.default.removeItem(atPath: path + "-wal")
            let error = await #expect(throws: StorageError.self) { try await database.addAccount("lost?") }
            #expect(error?.isMoved == true && error?.remedy?.contains("not by force") == true)
            await #expect(throws: StorageError.self) { try await database.addAccount("refused") }
            await database.close()
            let later = try await Database.open(.sqlite(path: path), migrations: [accounts], logger: .silent)
            #expect(try await later.emails() == ["before", "lost?"])
            await later.close()
        }
    }
}
