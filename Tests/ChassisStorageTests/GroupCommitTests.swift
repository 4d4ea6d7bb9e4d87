import Foundation
import Logging
import Synchronization
import Testing

@testable import ChassisStorage

@Suite("Group commit")
struct GroupCommitTests {
    /// A batch that only its size ends, however slow the machine is.
    private static let unhurried = GroupCommitLimits(maximumBatchMilliseconds: 600_000)

    /// Opens a driver of which the test can see how many closures wait.
    private func withDriver(
        _ limits: GroupCommitLimits = unhurried,
        _ body: (SQLiteDriver, Database) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let driver = try await SQLiteDriver.open(
                .file(directory + "/test.db"), migrations: [accounts], options: DatabaseOptions(groupCommit: limits), logger: .silent)
            try await body(driver, Database(driver: driver))
            await driver.close()
        }
    }

    /// Lets `count` writes wait behind one that the test holds, in order, then lets them run together with it.
    private func together(
        _ count: Int,
        on driver: SQLiteDriver,
        firstThrows: Bool = false,
        _ write: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> [Result<Void, any Error>] {
        let gate = Gate()
        let holding = Task {
            try await driver.write { _ in
                gate.passThrough()
                if firstThrows { throw Refusal() }
            }
        }
        await gate.reached()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<count {
            tasks.append(Task { try await write(number) })
            while driver.writesWaiting <= number { await Task.yield() }
        }
        gate.open()
        let first = await holding.result
        #expect((first.failure is Refusal) == firstThrows)
        var results: [Result<Void, any Error>] = []
        for task in tasks { results.append(await task.result) }
        return results
    }

    @Test("closures that wait together share a commit: no one's action runs before all have run")
    func sharing() async throws {
        try await withDriver { driver, database in
            let log = Log()
            _ = try await together(3, on: driver) { number in
                try await database.write { tx in
                    try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))")
                    log.add("run \(number)")
                    tx.afterCommit { log.add("committed \(number)") }
                }
            }
            #expect(log.lines == ["run 0", "run 1", "run 2", "committed 0", "committed 1", "committed 2"])
        }
    }

    @Test("nobody hears of a write before it is committed and what was to follow the commit is done")
    func hearing() async throws {
        try await withDriver { _, database in
            let (heard, heardEarly) = (Flag(), Flag())
            try await database.write { tx in
                try tx.execute("INSERT INTO accounts (email) VALUES ('a')")
                tx.afterCommit {
                    // The caller has all this time to hear, and must not.
                    let end = ContinuousClock.now + .milliseconds(50)
                    while ContinuousClock.now < end { if heard.isSet { heardEarly.set() } }
                }
            }
            heard.set()
            #expect(!heardEarly.isSet)
        }
    }

    @Test("a batch limit of one gives each closure a commit of its own")
    func noSharing() async throws {
        try await withDriver(GroupCommitLimits(maximumBatch: 1)) { driver, database in
            let log = Log()
            _ = try await together(2, on: driver) { number in
                try await database.write { tx in
                    log.add("run \(number)")
                    tx.afterCommit { log.add("committed \(number)") }
                }
            }
            #expect(log.lines == ["run 0", "committed 0", "run 1", "committed 1"])
        }
    }

    @Test("whichever closure of a batch throws, only its work is undone", arguments: 0..<4, [false, true])
    func failureInBatch(failing: Int, firstThrows: Bool) async throws {
        try await withDriver { driver, database in
            let results = try await together(4, on: driver, firstThrows: firstThrows) { number in
                try await database.write { tx in
                    try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))")
                    if number == failing { throw Refusal() }
                }
            }
            for (number, result) in results.enumerated() {
                #expect((result.failure is Refusal) == (number == failing))
            }
            #expect(try await database.emails() == (0..<4).filter { $0 != failing }.map { "\($0)" })
        }
    }

    @Test("a later closure of a batch sees what an earlier one wrote, and nothing of one that threw")
    func serialOrder() async throws {
        try await withDriver { driver, database in
            let log = Log()
            _ = try await together(3, on: driver) { number in
                try await database.write { tx in
                    log.add("\(number) sees \(try tx.value("SELECT count(*) FROM accounts", as: Int.self) ?? -1)")
                    try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))")
                    if number == 1 { throw Refusal() }
                }
            }
            #expect(log.lines == ["0 sees 0", "1 sees 1", "2 sees 1"])
        }
    }

    @Test("a deferred foreign key fails the closure that broke it, not the batch", arguments: 0..<3, [false, true])
    func deferredForeignKey(failing: Int, firstThrows: Bool) async throws {
        try await withDriver { driver, database in
            let results = try await together(3, on: driver, firstThrows: firstThrows) { number in
                try await database.write { tx in
                    try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))")
                    if number == failing { try tx.execute("INSERT INTO entries (account_id, amount) VALUES (999, 1)") }
                }
            }
            for (number, result) in results.enumerated() {
                let error = result.failure as? StorageError
                #expect((error?.isForeignKeyViolation == true) == (number == failing))
            }
            #expect(try await database.emails() == (0..<3).filter { $0 != failing }.map { "\($0)" })
        }
    }

    @Test("when the disk fills, everyone of the batch hears it, nothing stays, and space mends it")
    func diskFull() async throws {
        try await withDriver { driver, database in
            let ran = Log()
            let pages = try await database.write { tx in
                let pages = try tx.value("PRAGMA page_count", as: Int.self) ?? 0
                _ = try tx.value("PRAGMA max_page_count = 1", as: Int.self)
                return pages
            }
            #expect(pages > 1)
            let large = [UInt8](repeating: 7, count: 100_000)
            let results = try await together(3, on: driver) { number in
                try await database.write { tx in
                    tx.afterCommit { ran.add("\(number)") }
                    try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))")
                    // The second one needs more room than there is.
                    if number == 1 { try tx.execute("UPDATE accounts SET email = hex(\(large))") }
                }
            }
            #expect((results[1].failure as? StorageError)?.isDiskFull == true)
            // Whether SQLite undid the statement or the whole transaction is its choice; a caller was told the truth either way.
            let told = results.indices.filter { (try? results[$0].get()) != nil }.map { "\($0)" }
            #expect(try await database.emails() == told)
            #expect(ran.lines == told)
            try await database.write { tx in _ = try tx.value("PRAGMA max_page_count = 100000", as: Int.self) }
            try await database.write { tx in try tx.execute("INSERT INTO accounts (email) VALUES (hex(\(large)))") }
        }
    }

    @Test("when a transaction is lost under it, the batch fails as a whole and the rest goes into the next one")
    func lostTransaction() async throws {
        try await withDriver { driver, database in
            try await database.write { tx in
                // A constraint that rolls the whole transaction back, as SQLite itself does on an I/O error.
                try tx.execute(
                    """
                    CREATE TRIGGER lose BEFORE INSERT ON accounts WHEN NEW.email = '1'
                    BEGIN SELECT RAISE(ROLLBACK, 'lost'); END
                    """)
            }
            let ran = Log()
            let results = try await together(3, on: driver) { number in
                try await database.write { tx in
                    tx.afterCommit { ran.add("\(number)") }
                    // Even if the closure swallows the failure and goes on.
                    do {
                        try tx.savepoint { try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))") }
                    } catch {
                        #expect(throws: StorageError.self) { try tx.execute("INSERT INTO accounts (email) VALUES ('after')") }
                    }
                }
            }
            #expect(results[0].failure is StorageError)
            #expect(results[1].failure is StorageError)
            #expect(results[2].failure == nil)
            #expect(ran.lines == ["2"])
            #expect(try await database.emails() == ["2"])
        }
    }

    @Test("a lock held by another process is told as busy to all who wait, and passes")
    func busy() async throws {
        try await withTemporaryDirectory { directory in
            let url = DatabaseURL.sqlite(path: directory + "/test.db")
            let other = try await Database.open(url, migrations: [accounts], logger: .silent)
            let database = try await Database.open(
                url, migrations: [accounts], options: DatabaseOptions(busyTimeoutMilliseconds: 10), logger: .silent)
            let gate = Gate()
            let holding = Task { try await other.write { _ in gate.passThrough() } }
            await gate.reached()
            let error = await #expect(throws: StorageError.self) { try await database.addAccount("a") }
            #expect(error?.isBusy == true)
            #expect(error?.isTransient == true)
            gate.open()
            try await holding.value
            try await database.addAccount("a")
            #expect(try await other.emails() == ["a"])
            await database.close()
            await other.close()
        }
    }

    @Test("beyond the bound of the queue a write is refused at once, and those inside it are done")
    func queueBound() async throws {
        try await withDriver(GroupCommitLimits(maximumWaiting: 5)) { driver, database in
            let results = try await together(5, on: driver) { number in try await database.addAccount("\(number)") }
            #expect(results.allSatisfy { $0.failure == nil })
            let gate = Gate()
            let holding = Task { try await driver.write { _ in gate.passThrough() } }
            await gate.reached()
            let waiting = (0..<5).map { number in Task { try await database.addAccount("waiting \(number)") } }
            while driver.writesWaiting < 5 { await Task.yield() }
            let error = await #expect(throws: StorageError.self) { try await database.addAccount("one too many") }
            #expect(error?.isOverloaded == true)
            gate.open()
            try await holding.value
            for task in waiting { try await task.value }
            #expect(try await database.accountCount == 10)
        }
    }

    @Test("closing finishes what waits; dropping the last reference ends the threads as well")
    func ending() async throws {
        try await withTemporaryDirectory { directory in
            for isDropped in [false, true] {
                let driver = try await SQLiteDriver.open(
                    .file(directory + "/\(isDropped).db"), migrations: [accounts], options: DatabaseOptions(), logger: .silent)
                var database: Database? = Database(driver: driver)
                let log = Log()
                let gate = Gate()
                let holding = Task { try await driver.write { _ in gate.passThrough() } }
                await gate.reached()
                let waiting = Task { try await driver.write { _ in log.add("done") } }
                while driver.writesWaiting < 1 { await Task.yield() }
                if isDropped { database = nil }
                gate.open()
                await database?.close()
                try await holding.value
                try await waiting.value
                // Returns only when no thread of the driver is left.
                await driver.close()
                #expect(log.lines == ["done"])
            }
        }
    }

    @Test("a batch takes no more closures than its limit")
    func batchBound() async throws {
        try await withDriver(GroupCommitLimits(maximumBatch: 2, maximumBatchMilliseconds: 600_000)) { driver, database in
            let log = Log()
            _ = try await together(5, on: driver) { number in
                try await database.write { tx in
                    log.add("run \(number)")
                    tx.afterCommit { log.add("committed \(number)") }
                }
            }
            let positions = Dictionary(uniqueKeysWithValues: log.lines.enumerated().map { ($1, $0) })
            for number in 0..<3 {
                let committed = try #require(positions["committed \(number)"])
                let ran = try #require(positions["run \(number + 2)"])
                #expect(committed < ran, "closure \(number) must not wait for closure \(number + 2)")
            }
        }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// Something that has happened, or not.
private final class Flag: Sendable {
    private let state = Atomic(false)
    var isSet: Bool { state.load(ordering: .sequentiallyConsistent) }
    func set() { state.store(true, ordering: .sequentiallyConsistent) }
}
