import Foundation
import Testing

@testable import ChassisStorage

@Suite("A disk whose fsync fails", .timeLimit(.minutes(1)))
struct FailingDiskTests {
    @Test("everybody in the commit hears it, and the next commit does not rest on what was never written")
    func sync() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            try #require(FailingSync.fail(path + "-wal", 0))
            let database = try await Database.open(
                .sqlite(path: path), migrations: [accounts], options: DatabaseOptions(readers: 1), logger: .silent)
            try await database.addAccount("before")
            // A reader keeps the log in use, so that no closing connection moves it into the file.
            #expect(try await database.emails() == ["before"])
            _ = FailingSync.fail(path + "-wal", 1)
            let error = await #expect(throws: StorageError.self) { try await database.addAccount("doubtful") }
            #expect(error?.isUnavailable == true && error?.isTransient == true)
            #expect(FailingSync.remaining(path + "-wal") == 0)
            try await database.addAccount("after")
            let emails = try await database.emails()
            #expect(emails.filter { $0 != "doubtful" } == ["before", "after"])
            // What the log held when the fsync failed was written once more, into the file itself: it needs no log any longer.
            let alone = directory + "/alone.sqlite"
            try FileManager.default.copyItem(atPath: path, toPath: alone)
            let file = try await Database.open(.sqlite(path: alone), migrations: [accounts], logger: .silent)
            #expect(try await file.emails() == emails.filter { $0 != "after" })
            await file.close()
            await database.close()
        }
    }

    @Test("while it fails nothing is acknowledged, and all that was acknowledged is there after a restart", arguments: [1, 2, 3, 7])
    func often(count: Int) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/shop.sqlite"
            try #require(FailingSync.fail(path + "-wal", 0))
            let database = try await Database.open(.sqlite(path: path), migrations: [accounts], logger: .silent)
            let told = Log()
            for round in 0..<5 {
                _ = FailingSync.fail(path + "-wal", count)
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            guard (try? await database.addAccount("\(round)-\(number)")) != nil else { return }
                            told.add("\(round)-\(number)")
                        }
                    }
                }
            }
            _ = FailingSync.fail(path + "-wal", 0)
            try await database.addAccount("last")
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: directory + "/copy.sqlite" + suffix)
            }
            let copy = try await Database.open(.sqlite(path: directory + "/copy.sqlite"), migrations: [accounts], logger: .silent)
            #expect(Set(try await copy.emails()).isSuperset(of: told.lines + ["last"]))
            await copy.close()
            await database.close()
        }
    }
}
