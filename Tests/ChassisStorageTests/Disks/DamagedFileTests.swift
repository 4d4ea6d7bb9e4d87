import Foundation
import Testing

@testable import ChassisStorage

@Suite("A file that is damaged")
struct DamagedFileTests {
    private static let notes = Migration("002_notes", "CREATE TABLE notes (id $id, text TEXT NOT NULL) $strict")

    /// Makes a file with two tables of many pages each, closed and without a log.
    private func makeFile(_ path: String) async throws {
        let database = try await Database.open(.sqlite(path: path), migrations: [accounts, Self.notes], logger: .silent)
        for number in 0..<50 {
            try await database.write { tx in
                try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)-" + String(repeating: "e", count: 1_000)))")
                try tx.execute("INSERT INTO notes (text) VALUES (\("note \(number)"))")
            }
        }
        await database.close()
    }

    private func overwrite(_ path: String, with bytes: Data, at offset: Int) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    /// Where the pages lie that hold one of the accounts, in the table and in its index: in the middle of the file, and of no importance to the notes.
    private func pages(of file: Data) throws -> Set<Int> {
        let pages = Set(file.ranges(of: Data("25-eeee".utf8)).map { $0.lowerBound / 4_096 * 4_096 })
        try #require(!pages.isEmpty)
        return pages
    }

    @Test("once damage has been met nothing more is read or written, whatever it is about; a mended file works without a restart")
    func everything() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            try await makeFile(path)
            let intact = try Data(contentsOf: URL(filePath: path))
            let log = KeptLog()
            let database = try await Database.open(.sqlite(path: path), migrations: [accounts, Self.notes], logger: log.logger)
            let places = try pages(of: intact)
            for place in places { try overwrite(path, with: Data(repeating: 0x5a, count: 4_096), at: place) }
            let met = await #expect(throws: StorageError.self) { try await database.emails() }
            #expect(met?.isCorrupt == true)
            // The notes are not damaged, but who knows?
            let notes = await #expect(throws: StorageError.self) {
                try await database.read { try $0.value("SELECT count(*) FROM notes", as: Int.self) }
            }
            #expect(notes?.isCorrupt == true)
            let write = await #expect(throws: StorageError.self) {
                try await database.write { try $0.execute("INSERT INTO notes (text) VALUES ('more')") }
            }
            #expect(write?.isCorrupt == true && write?.isTransient == true)
            let ready = await #expect(throws: StorageError.self) { try await database.ping() }
            #expect(ready?.message.contains("put back a good copy") == true)
            #expect(log.lines.count == 1 && log.lines.first?.contains("file=\(path)") == true)
            for place in places { try overwrite(path, with: intact[place..<place + 4_096], at: place) }
            // A file is not looked through more than once a second.
            try await eventuallyReads(database)
            #expect(try await database.emails().count == 50)
            try await database.write { try $0.execute("INSERT INTO notes (text) VALUES ('more')") }
            try await database.ping()
            await database.close()
        }
    }

    private func eventuallyReads(_ database: Database) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await database.ping()
            } catch {
                guard ContinuousClock.now < end else { throw error }
                await Task.yield()
            }
        }
    }

    @Test(
        "a file whose beginning is damaged is not opened, not changed and not replaced by a new one",
        arguments: [Data(repeating: 0, count: 4_096), Data(repeating: 0x5a, count: 4_096), Data("SQLite format 3\0 and nothing else".utf8)])
    func start(damage: Data) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            try await makeFile(path)
            let intact = try Data(contentsOf: URL(filePath: path))
            try overwrite(path, with: damage, at: 0)
            let damaged = try Data(contentsOf: URL(filePath: path))
            let error = await #expect(throws: StorageError.self) {
                try await Database.open(.sqlite(path: path), migrations: [accounts, Self.notes], logger: .silent)
            }
            #expect(error?.isCorrupt == true)
            #expect(error?.message.hasPrefix("cannot open the database \(path): ") == true)
            #expect(error?.message.contains("put back a good copy") == true)
            #expect(try Data(contentsOf: URL(filePath: path)) == damaged)
            // The good copy put back, all is there.
            try intact.write(to: URL(filePath: path))
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            let database = try await Database.open(.sqlite(path: path), migrations: [accounts, Self.notes], logger: .silent)
            #expect(try await database.emails().count == 50)
            await database.close()
        }
    }

    @Test("a log that is damaged in its middle stops the start: what was committed after that place is not forgotten")
    func log() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            let database = try await Database.open(.sqlite(path: path), migrations: [accounts], logger: .silent)
            for number in 0..<40 { try await database.addAccount("\(number)") }
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: directory + "/left.sqlite" + suffix)
            }
            await database.close()
            let log = try Data(contentsOf: URL(filePath: directory + "/left.sqlite-wal"))
            let frame = 24 + 4_096
            let frames = (log.count - 32) / frame
            #expect(frames > 40)
            for damaged in [0, frames / 3, frames / 2, frames - 8] {
                let copy = directory + "/damaged-\(damaged).sqlite"
                try FileManager.default.copyItem(atPath: directory + "/left.sqlite", toPath: copy)
                var bytes = log
                bytes.replaceSubrange(32 + damaged * frame + 100..<32 + damaged * frame + 200, with: Data(repeating: 0x5a, count: 100))
                try bytes.write(to: URL(filePath: copy + "-wal"))
                let error = await #expect(throws: StorageError.self, "frame \(damaged)") {
                    try await Database.open(.sqlite(path: copy), migrations: [accounts], logger: .silent)
                }
                #expect(error?.isCorrupt == true && error?.message.contains("its log \(copy)-wal is damaged in the middle") == true)
                #expect(try Data(contentsOf: URL(filePath: copy + "-wal")) == bytes, "the log is left as it is")
            }
            let whole = try await Database.open(.sqlite(path: directory + "/left.sqlite"), migrations: [accounts], logger: .silent)
            #expect(try await whole.accountCount == 40)
            await whole.close()
        }
    }
}
