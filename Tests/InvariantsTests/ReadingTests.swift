import ChassisStorage
import Foundation
import Logging
import Testing

/// Databases are read as they lie there, and nothing is left behind.
@Suite("Opening for reading")
struct ReadingTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let things = Migration("001_things", "CREATE TABLE things (id $id, name TEXT NOT NULL) $strict;")

    /// Runs `body` with a folder and the path of a database in it that holds one thing and is still open.
    private func withDatabase(_ body: (URL, String, Database) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "souk reading \(UUID().uuidString)?#%", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "things.sqlite").path(percentEncoded: false)
        let database = try await Database.open(.sqlite(path: path), migrations: [Self.things], logger: Self.logger)
        try await database.write { try $0.execute("INSERT INTO things (name) VALUES ('lamp')") }
        try await body(folder, path, database)
        await database.close()
    }

    private func files(in folder: URL) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        return Dictionary(
            uniqueKeysWithValues: try names.map { name in
                // The shared memory holds who reads now, and nothing else.
                (name, name.hasSuffix("-shm") ? Data() : try Data(contentsOf: folder.appending(path: name)))
            })
    }

    private func names(_ path: String) async throws -> [String] {
        let database = try await Database.openForReading(.sqlite(path: path), logger: Self.logger)
        let names = try await database.read { try $0.all("SELECT name FROM things ORDER BY id") { try $0["name"] as String } }
        await database.close()
        return names
    }

    @Test("a database that is closed is read, and no file is made or changed")
    func atRest() async throws {
        try await withDatabase { folder, path, database in
            await database.close()
            let before = try files(in: folder)
            #expect(before.keys.sorted() == ["things.sqlite"])
            #expect(try await names(path) == ["lamp"])
            #expect(try files(in: folder) == before)
        }
    }

    @Test("a database that is in use is read as of now, and its owner is not disturbed")
    func inUse() async throws {
        try await withDatabase { folder, path, database in
            let reader = try await Database.openForReading(.sqlite(path: path), logger: Self.logger)
            let before = try files(in: folder)
            try await database.write { try $0.execute("INSERT INTO things (name) VALUES ('chair')") }
            #expect(try await reader.read { try $0.value("SELECT count(*) FROM things", as: Int.self) } == 2)
            await reader.close()
            #expect(try files(in: folder).keys.sorted() == before.keys.sorted())
            try await database.write { try $0.execute("INSERT INTO things (name) VALUES ('table')") }
            #expect(try await names(path) == ["lamp", "chair", "table"])
        }
    }

    @Test("a database whose owner was killed is read with its log")
    func killed() async throws {
        try await withDatabase { folder, path, database in
            let left = folder.appending(path: "left", directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
            for name in ["things.sqlite", "things.sqlite-wal", "things.sqlite-shm"] {
                try FileManager.default.copyItem(at: folder.appending(path: name), to: left.appending(path: name))
            }
            let before = try files(in: left)
            #expect(try await names(left.appending(path: "things.sqlite").path(percentEncoded: false)) == ["lamp"])
            #expect(try files(in: left) == before)
        }
    }

    @Test("nothing can be written")
    func writing() async throws {
        try await withDatabase { _, path, _ in
            let reader = try await Database.openForReading(.sqlite(path: path), logger: Self.logger)
            await #expect(throws: StorageError.self) { try await reader.write { try $0.execute("DELETE FROM things") } }
            await #expect(throws: StorageError.self) { try await reader.read { try $0.execute("DELETE FROM things") } }
            await reader.close()
        }
    }

    @Test("what is missing, or no database of Souk, is said and not made")
    func missing() async throws {
        try await withDatabase { folder, path, _ in
            let before = try files(in: folder)
            await #expect(throws: StorageError.self) { try await names(path + "-elsewhere") }
            #expect(try files(in: folder).keys.sorted() == before.keys.sorted())
            try Data("no database".utf8).write(to: folder.appending(path: "text.sqlite"))
            await #expect(throws: StorageError.self) {
                try await names(folder.appending(path: "text.sqlite").path(percentEncoded: false))
            }
        }
    }
}
