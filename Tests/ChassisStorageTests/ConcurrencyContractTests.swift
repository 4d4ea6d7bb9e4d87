import Dispatch
import Foundation
import Testing

@testable import ChassisStorage

@Suite("Concurrent callers of every database")
struct ConcurrencyContractTests {
    @Test("a thousand concurrent writes are all there", arguments: DatabaseFixture.allCases)
    func thousandWrites(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...1_000 { group.addTask { try await database.addAccount("\(number)") } }
                try await group.waitForAll()
            }
            #expect(Set(try await database.emails()) == Set((1...1_000).map { "\($0)" }))
        }
    }

    @Test("of many concurrent writes exactly those that throw are undone", arguments: DatabaseFixture.allCases)
    func isolationOfFailures(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let failed = await withTaskGroup(of: Int?.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        do {
                            try await database.write { tx in
                                try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))")
                                // Every third refuses after its insert, in one of two ways.
                                if number % 6 == 0 { throw Refusal() }
                                if number % 6 == 3 { try tx.execute("INSERT INTO accounts (email) VALUES (\("\(number)"))") }
                            }
                            return nil
                        } catch {
                            return number
                        }
                    }
                }
                return await group.reduce(into: Set<Int>()) { if let number = $1 { $0.insert(number) } }
            }
            #expect(failed == Set(stride(from: 0, to: 300, by: 3)))
            let stored = Set(try await database.emails().compactMap(Int.init))
            #expect(stored == Set(0..<300).subtracting(failed))
        }
    }

    @Test("concurrent withdrawals never overdraw", arguments: DatabaseFixture.allCases)
    func noLostUpdates(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.addAccount("a", balance: 10)
            let succeeded = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        do {
                            return try await database.write { tx in
                                let balance = try tx.value("SELECT balance FROM accounts WHERE email = 'a'", as: Int.self) ?? 0
                                guard balance > 0 else { throw Refusal() }
                                return try tx.execute("UPDATE accounts SET balance = \(balance - 1) WHERE email = 'a'")
                            }
                        } catch {
                            return 0
                        }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(succeeded == 10)
            #expect(try await database.read { try $0.value("SELECT balance FROM accounts", as: Int.self) } == 0)
        }
    }

    @Test("a reader sees whole transactions only", arguments: DatabaseFixture.allCases)
    func readersSeeWholeTransactions(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.addAccount("left", balance: 500)
            try await database.addAccount("right", balance: 500)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await database.write { tx in
                            try tx.execute("UPDATE accounts SET balance = balance - 1 WHERE email = 'left'")
                            try tx.execute("UPDATE accounts SET balance = balance + 1 WHERE email = 'right'")
                        }
                    }
                    group.addTask {
                        let sums = try await database.read { tx in
                            // The second statement sees the same snapshot as the first, whatever is committed between them.
                            let left = try tx.value("SELECT balance FROM accounts WHERE email = 'left'", as: Int.self) ?? 0
                            let right = try tx.value("SELECT balance FROM accounts WHERE email = 'right'", as: Int.self) ?? 0
                            return left + right
                        }
                        #expect(sums == 1_000)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a caller that was cancelled before its turn is left out", arguments: DatabaseFixture.allCases)
    func cancellation(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let gate = Gate()
            async let first: Void = database.write { _ in gate.passThrough() }
            await gate.reached()
            let cancelled = Task { try await database.addAccount("never") }
            cancelled.cancel()
            gate.open()
            try await first
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(try await database.accountCount == 0)
        }
    }

    @Test("a closed database refuses work, and closing again is harmless", arguments: DatabaseFixture.allCases)
    func closing(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.ping()
            await database.close()
            await database.close()
            for attempt in [database.ping, { try await database.addAccount("late") }] {
                let error = await #expect(throws: StorageError.self) { try await attempt() }
                #expect(error?.isUnavailable == true)
            }
        }
    }
}

/// Holds a database thread inside a closure until the test lets it go.
final class Gate: Sendable {
    private let isOpen = DispatchSemaphore(value: 0)
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() { (arrivals, arrival) = AsyncStream.makeStream() }

    /// For the closure: tells that it runs, then blocks.
    func passThrough() {
        arrival.yield()
        isOpen.wait()
    }

    /// For the test: returns once the closure runs.
    func reached() async {
        for await _ in arrivals { return }
    }

    func open() { isOpen.signal() }
}
