import ChassisTesting
import Foundation
import Testing

@testable import ChassisStorage

@Suite("A disk that is full", .enabled(if: SmallDisk.isAvailable, "\(SmallDisk.requirement)"), .timeLimit(.minutes(2)))
struct FullDiskTests {
    @Test("writes are refused as such, reads go on, and with space all goes on without a restart: nothing acknowledged is lost")
    func full() async throws {
        try await withSmallDisk { disk in
            let database = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            try await database.addAccount("before")
            try disk.fill()
            let (accepted, refusal) = try await database.writeUntilRefused("a")
            #expect(refusal.isDiskFull && refusal.isTransient)
            #expect(try await database.emails() == ["before"] + accepted)
            // Every further one, too: the connection is not stuck in a transaction that was lost.
            for _ in 0..<10 {
                let again = await #expect(throws: StorageError.self) {
                    try await database.addAccount(String(repeating: "y", count: 20_000))
                }
                #expect(again?.isDiskFull == true)
            }
            #expect(try await database.emails() == ["before"] + accepted)
            try disk.free()
            try await database.addAccount("after")
            #expect(try await database.emails() == ["before"] + accepted + ["after"])
            await database.close()
        }
    }

    @Test("of many who write together while it fills up, whoever was told of success finds his row, also after a restart")
    func crowd() async throws {
        try await withSmallDisk(megabytes: 16) { disk in
            try disk.fill(leavingMegabytes: 4)
            let database = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            let told = Log()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<3_000 {
                    group.addTask {
                        let email = "\(number)-" + String(repeating: "x", count: 2_000)
                        do {
                            try await database.addAccount(email)
                            told.add(email)
                        } catch {
                            #expect((error as? StorageError)?.isDiskFull == true)
                        }
                    }
                }
            }
            #expect(told.lines.count > 0 && told.lines.count < 3_000)
            #expect(Set(try await database.emails()) == Set(told.lines))
            await database.close()
            // A service is started on a full disk no more than it goes on there.
            try disk.free()
            let later = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            #expect(Set(try await later.emails()) == Set(told.lines))
            await later.close()
        }
    }

    @Test("the log has one line when it begins, with file, cause and what to do, and one when it is over")
    func log() async throws {
        try await withSmallDisk(megabytes: 32) { disk in
            let log = KeptLog()
            let database = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: log.logger)
            try disk.fill()
            for number in 0..<20 {
                await #expect(throws: StorageError.self) {
                    try await database.addAccount("\(number)" + String(repeating: "x", count: 50_000))
                }
            }
            #expect(log.lines.count == 1)
            let line = try #require(log.lines.first)
            #expect(line.hasPrefix("error: the database fails "))
            #expect(line.contains("file=\(disk.database)") && line.contains("no space is left") && line.contains("remedy=free some space"))
            try disk.free()
            // It is over when it has been over for a while.
            var number = 0
            try await eventually("the log says that it is over") {
                number += 1
                try await database.addAccount("after \(number)")
                return log.lines.count > 1
            }
            #expect(log.lines.dropFirst() == ["notice: the database works again file=\(disk.database)"])
            await database.close()
        }
    }

    @Test("readiness says so, and finds out by itself when there is space again")
    func readiness() async throws {
        try await withSmallDisk { disk in
            let database = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            try await database.ping()
            try disk.fill()
            _ = try await database.writeUntilRefused("a")
            for _ in 0..<3 {
                let error = await #expect(throws: StorageError.self) { try await database.ping() }
                #expect(error?.message.hasPrefix("shop.sqlite: no space is left for the database") == true)
                #expect(error?.message.hasSuffix("free some space: it then goes on by itself") == true)
            }
            try disk.free()
            try await database.ping()
            #expect(try await database.read { try $0.value("SELECT count(*) FROM schema_migrations", as: Int.self) } == 1)
            await database.close()
        }
    }

    @Test("a database cannot be made there: the start fails with its name and the reason, and succeeds with space")
    func start() async throws {
        try await withSmallDisk { disk in
            try disk.fill()
            let error = await #expect(throws: StorageError.self) {
                try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            }
            #expect(error?.isDiskFull == true)
            #expect(error?.message.hasPrefix("cannot open the database \(disk.database): no space is left") == true)
            try disk.free()
            let database = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            try await database.addAccount("a")
            await database.close()
        }
    }

    @Test("on a disk that may only be read the start fails with the file's name and the reason, and succeeds once it may be written")
    func readOnly() async throws {
        try await withSmallDisk { disk in
            let first = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            try await first.addAccount("a")
            await first.close()
            try disk.setWritable(false)
            let error = await #expect(throws: StorageError.self) {
                try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            }
            #expect(error?.isReadOnly == true)
            #expect(error?.message.hasPrefix("cannot open the database \(disk.database): its file system is read-only; make") == true)
            try disk.setWritable(true)
            let database = try await Database.open(.sqlite(path: disk.database), migrations: [accounts], logger: .silent)
            try await database.addAccount("b")
            #expect(try await database.emails() == ["a", "b"])
            await database.close()
        }
    }
}
