import Foundation
import Logging
import Testing

@testable import ChassisStorage

@Suite("SQLite files that were dropped, damaged or out of reach")
struct SQLiteRecoveryTests {
    private static let pairs = Migration("001_pairs", "CREATE TABLE halves (id $id, pair $integer NOT NULL, half TEXT NOT NULL) $strict")

    private func open(_ path: String, _ migrations: [Migration]) async throws -> Database {
        try await Database.open(.sqlite(path: path), migrations: migrations, logger: .silent)
    }

    /// Copies a database as a crash would leave it: the file and its log at this moment.
    private func copy(_ path: String, to target: String) throws {
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: target + suffix) }
    }

    private func addPair(_ number: Int, to database: Database) async throws {
        try await database.write { tx in
            try tx.execute("INSERT INTO halves (pair, half) VALUES (\(number), 'left')")
            try tx.execute("INSERT INTO halves (pair, half) VALUES (\(number), 'right')")
        }
    }

    /// The pairs in a database, each of which must be whole.
    private func wholePairs(in path: String) async throws -> Set<Int> {
        let database = try await open(path, [Self.pairs])
        let counts = try await database.read { tx in
            try tx.all("SELECT pair, count(*) AS halves FROM halves GROUP BY pair") { (try $0["pair"] as Int, try $0["halves"] as Int) }
        }
        await database.close()
        #expect(counts.allSatisfy { $0.1 == 2 })
        return Set(counts.map(\.0))
    }

    @Test("whatever was acknowledged before a crash is there after it, whole")
    func crashInTheMiddle() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/live.db"
            let database = try await open(path, [Self.pairs])
            let acknowledged = Log()
            let (halfway, reachedHalfway) = AsyncStream<Void>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await addPair(number, to: database)
                        acknowledged.add("\(number)")
                        if acknowledged.lines.count == 100 { reachedHalfway.yield() }
                    }
                }
                for await _ in halfway { break }
                let before = Set(acknowledged.lines.compactMap(Int.init))
                try copy(path, to: directory + "/crashed.db")
                #expect(try await wholePairs(in: directory + "/crashed.db").isSuperset(of: before))
                try await group.waitForAll()
            }
            await database.close()
        }
    }

    @Test("wherever the log is cut off, what remains is a prefix of whole commits")
    func tornLog() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/live.db"
            let database = try await open(path, [Self.pairs])
            for number in 0..<40 { try await addPair(number, to: database) }
            try copy(path, to: directory + "/whole.db")
            await database.close()
            let log = try Data(contentsOf: URL(fileURLWithPath: directory + "/whole.db-wal"))
            var found: Set<Int> = []
            for cut in stride(from: 0, through: log.count, by: log.count / 23) {
                let torn = directory + "/torn-\(cut).db"
                try FileManager.default.copyItem(atPath: directory + "/whole.db", toPath: torn)
                try log.prefix(cut).write(to: URL(fileURLWithPath: torn + "-wal"))
                let pairs = try await wholePairs(in: torn)
                #expect(pairs == Set(0..<pairs.count), "cut at \(cut)")
                found.insert(pairs.count)
            }
            #expect(found.count > 10)
        }
    }

    @Test("a damaged file is told as such, and works again without a restart once it is mended")
    func corruption() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/live.db"
            let first = try await open(path, [accounts])
            try await first.addAccount("a@b.c")
            // Closing moves the log into the file.
            await first.close()
            // One reader, so that the connection that met the damage is the one that must recover.
            let database = try await Database.open(
                .sqlite(path: path), migrations: [accounts], options: DatabaseOptions(readers: 1), logger: .silent)
            let file = URL(fileURLWithPath: path)
            let intact = try Data(contentsOf: file)
            try overwrite(file, with: Data(repeating: 0x5a, count: intact.count - 4096), at: 4096)
            let error = await #expect(throws: StorageError.self) { try await database.emails() }
            #expect(error?.isCorrupt == true)
            try overwrite(file, with: intact, at: 0)
            #expect(try await database.emails() == ["a@b.c"])
            try await database.addAccount("d@e.f")
            await database.close()
        }
    }

    /// Writes into a file in place: replacing it would leave the database with the old one.
    private func overwrite(_ file: URL, with bytes: Data, at offset: UInt64) throws {
        let handle = try FileHandle(forWritingTo: file)
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    @Test("a database that cannot be written says so, and writes again once it can")
    func readOnly() async throws {
        try await withTemporaryDirectory { directory in
            let database = try await open(directory + "/live.db", [accounts])
            // Makes this one connection refuse writes as a read-only file would; the driver opens another.
            try await database.write { tx in try tx.execute("PRAGMA query_only = ON") }
            let error = await #expect(throws: StorageError.self) { try await database.addAccount("a") }
            #expect(error?.isReadOnly == true)
            #expect(error?.isTransient == true)
            try await database.addAccount("b")
            #expect(try await database.emails() == ["b"])
            await database.close()
        }
    }

    @Test("a file that is no database, and one in no directory, stop the start with a sentence that names them")
    func openingErrors() async throws {
        try await withTemporaryDirectory { directory in
            let text = directory + "/notes.txt"
            try Data(repeating: 65, count: 10_000).write(to: URL(fileURLWithPath: text))
            let notADatabase = await #expect(throws: StorageError.self) { try await open(text, []) }
            #expect(notADatabase?.isCorrupt == true)
            #expect(notADatabase?.message.contains(text) == true)
            let lost = directory + "/missing/orders.db"
            let noDirectory = await #expect(throws: StorageError.self) { try await open(lost, []) }
            #expect(noDirectory?.message == "cannot open the database \(lost): its directory does not exist; make it, or give another path")
            #expect(noDirectory?.isUnavailable == true)
        }
    }

    @Test("a new database file is readable by its owner only")
    func permissions() async throws {
        try await withTemporaryDirectory { directory in
            let database = try await open(directory + "/live.db", [accounts])
            for file in ["/live.db", "/live.db-wal"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: directory + file)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
            }
            await database.close()
        }
    }

    @Test("a commit is synced to the disk before it counts")
    func durabilitySettings() async throws {
        try await withTemporaryDirectory { directory in
            let database = try await open(directory + "/live.db", [])
            let settings = try await database.write { tx in
                [
                    try tx.value("PRAGMA journal_mode", as: String.self) ?? "",
                    "\(try tx.value("PRAGMA synchronous", as: Int.self) ?? -1)",
                    "\(try tx.value("PRAGMA foreign_keys", as: Int.self) ?? -1)",
                ]
            }
            #expect(settings == ["wal", "2", "1"])
            await database.close()
        }
    }
}
