import ChassisStorage
import Foundation
import Synchronization
import Testing

@Suite("Transactions of every database")
struct TransactionContractTests {
    @Test("a closure that throws leaves nothing behind and its error reaches the caller", arguments: DatabaseFixture.allCases)
    func rollback(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            await #expect(throws: Refusal()) {
                try await database.write { tx in
                    try tx.execute("INSERT INTO accounts (email) VALUES ('a@b.c')")
                    throw Refusal()
                }
            }
            let stored = try await database.accountCount
            #expect(stored == 0)
        }
    }

    @Test("constraint violations are told by kind and name", arguments: DatabaseFixture.allCases)
    func violations(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.addAccount("a@b.c")
            func failure(_ statement: SQL) async -> StorageError? {
                await #expect(throws: StorageError.self) { try await database.write { tx in try tx.execute(statement) } }
            }
            let unique = await failure("INSERT INTO accounts (email) VALUES ('a@b.c')")
            #expect(unique?.isUniqueViolation == true)
            #expect(unique?.constraint?.contains("email") == true)
            let primaryKey = await failure("INSERT INTO accounts (id, email) VALUES (1, 'other')")
            #expect(primaryKey?.isUniqueViolation == true)
            let check = await failure("UPDATE accounts SET balance = -1")
            #expect(check?.isCheckViolation == true)
            #expect(check?.constraint == "balance_not_negative")
            #expect(await failure("INSERT INTO accounts (email) VALUES (NULL)")?.isNotNullViolation == true)
            #expect(await failure("INSERT INTO entries (account_id, amount) VALUES (99, 1)")?.isForeignKeyViolation == true)
            #expect(await failure("INSERT INTO nowhere (id) VALUES (1)")?.isStatementError == true)
        }
    }

    @Test("no error message holds a bound value", arguments: DatabaseFixture.allCases)
    func messagesWithoutValues(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let email = "private@example.org"
            try await database.addAccount(email)
            let error = await #expect(throws: StorageError.self) { try await database.addAccount(email) }
            #expect(error.map { "\($0)" }?.contains(email) == false)
        }
    }

    @Test("a savepoint that fails undoes its own work, and the transaction goes on", arguments: DatabaseFixture.allCases)
    func savepoints(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let refusals = try await database.write { tx in
                try tx.execute("INSERT INTO accounts (email) VALUES ('first')")
                var refusals: [any Error] = []
                do {
                    try tx.savepoint {
                        try tx.execute("INSERT INTO accounts (email) VALUES ('second')")
                        try tx.execute("INSERT INTO accounts (email) VALUES ('first')")
                    }
                } catch {
                    refusals.append(error)
                }
                try tx.savepoint {
                    try tx.execute("INSERT INTO accounts (email) VALUES ('third')")
                    do {
                        try tx.savepoint {
                            try tx.execute("INSERT INTO accounts (email) VALUES ('fourth')")
                            throw Refusal()
                        }
                    } catch {
                        refusals.append(error)
                    }
                }
                return refusals
            }
            #expect((refusals.first as? StorageError)?.isUniqueViolation == true)
            #expect(refusals.last is Refusal)
            #expect(try await database.emails() == ["first", "third"])
        }
    }

    @Test("after a failed statement only a savepoint lets the transaction go on", arguments: DatabaseFixture.allCases)
    func failureWithoutSavepoint(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.addAccount("a@b.c")
            let swallowed = await #expect(throws: StorageError.self) {
                try await database.write { tx in
                    try tx.execute("INSERT INTO accounts (email) VALUES ('lost')")
                    #expect(throws: StorageError.self) { try tx.execute("INSERT INTO accounts (email) VALUES ('a@b.c')") }
                    let next = #expect(throws: StorageError.self) { try tx.execute("INSERT INTO accounts (email) VALUES ('next')") }
                    #expect(next?.isMisuse == true)
                }
            }
            #expect(swallowed?.isUniqueViolation == true)
            #expect(try await database.emails() == ["a@b.c"])
        }
    }

    @Test("a deferred foreign key is checked when the closure ends", arguments: DatabaseFixture.allCases)
    func deferredForeignKey(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.write { tx in
                try tx.execute("INSERT INTO entries (account_id, amount) VALUES (7, 1)")
                try tx.execute("INSERT INTO accounts (id, email) VALUES (7, 'late')")
            }
            let error = await #expect(throws: StorageError.self) {
                try await database.write { tx in try tx.execute("DELETE FROM accounts WHERE id = 7") }
            }
            #expect(error?.isForeignKeyViolation == true)
            #expect(try await database.accountCount == 1)
        }
    }

    @Test("actions after commit run once, after the commit and before the caller resumes", arguments: DatabaseFixture.allCases)
    func afterCommit(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let ran = Log()
            try await database.write { tx in
                tx.afterCommit { ran.add("outer") }
                try tx.savepoint { tx.afterCommit { ran.add("kept") } }
                do {
                    try tx.savepoint {
                        tx.afterCommit { ran.add("dropped") }
                        throw Refusal()
                    }
                } catch {
                    #expect(error is Refusal)
                }
                #expect(ran.lines.isEmpty)
            }
            #expect(ran.lines == ["outer", "kept"])
            await #expect(throws: Refusal()) {
                try await database.write { tx in
                    tx.afterCommit { ran.add("rolled back") }
                    throw Refusal()
                }
            }
            #expect(ran.lines == ["outer", "kept"])
        }
    }

    @Test("a read cannot write", arguments: DatabaseFixture.allCases)
    func readsDoNotWrite(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let error = await #expect(throws: StorageError.self) {
                try await database.read { tx in try tx.execute("INSERT INTO accounts (email) VALUES ('x')") }
            }
            #expect(error?.isMisuse == true)
            #expect(try await database.accountCount == 0)
            try await database.addAccount("y")
        }
    }

    @Test("a closure cannot begin or end transactions itself", arguments: DatabaseFixture.allCases)
    func transactionControl(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            let statements: [SQL] = ["COMMIT", " begin", "-- a comment\nROLLBACK", "/* another */ SAVEPOINT s", "END", "RELEASE s"]
            for statement in statements {
                let error = await #expect(throws: StorageError.self) {
                    try await database.write { tx in try tx.execute(statement) }
                }
                #expect(error?.isMisuse == true, "\(statement)")
            }
        }
    }

    @Test("a statement is one statement with as many values as placeholders", arguments: DatabaseFixture.allCases)
    func oneStatement(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            for statement in ["SELECT 1; SELECT 2", "SELECT ?", ""] as [SQL] {
                await #expect(throws: StorageError.self) { try await database.write { tx in try tx.execute(statement) } }
            }
        }
    }

    @Test("execute tells how many rows changed, RETURNING gives them", arguments: DatabaseFixture.allCases)
    func changes(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            try await database.write { tx in
                #expect(try tx.execute("INSERT INTO accounts (email) VALUES ('a'), ('b'), ('c')") == 3)
                #expect(try tx.execute("UPDATE accounts SET balance = 5 WHERE email IN ('a', 'b')") == 2)
                #expect(try tx.execute("UPDATE accounts SET balance = 5 WHERE email = 'z'") == 0)
                #expect(try tx.execute("SELECT * FROM accounts") == 0)
                // `first` looks at one row, yet all three are updated.
                let first = try tx.first("UPDATE accounts SET balance = balance + 1 RETURNING balance") { try $0["balance"] as Int }
                #expect(first != nil)
                #expect(try tx.value("SELECT sum(balance) FROM accounts", as: Int.self) == 13)
                #expect(try tx.value("SELECT id FROM accounts WHERE email = 'z'", as: Int.self) == nil)
                #expect(try tx.value("SELECT max(id) FROM accounts WHERE email = 'z'", as: Int?.self) == .some(nil))
            }
        }
    }

    @Test("a query may run inside the rows of the same query", arguments: DatabaseFixture.allCases)
    func nestedQueries(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            for email in ["a", "b", "c"] { try await database.addAccount(email) }
            let pairs = try await database.read { tx in
                let query: SQL = "SELECT email FROM accounts ORDER BY id"
                return try tx.all(query) { outer in
                    let inner = try tx.all(query) { try $0["email"] as String }.joined()
                    return try outer["email"] + inner
                }
            }
            #expect(pairs == ["aabc", "babc", "cabc"])
        }
    }

    @Test("however many different statements are used, all work, even inside each other's rows", arguments: DatabaseFixture.allCases)
    func manyStatements(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            for email in ["a", "b"] { try await database.addAccount(email) }
            let sums = try await database.read { tx in
                try tx.all("SELECT id FROM accounts ORDER BY id") { outer in
                    let id: Int = try outer["id"]
                    // More texts than any driver keeps prepared.
                    return try (1...300).reduce(0) { sum, length in
                        let ids = [Int](repeating: id, count: length)
                        return try sum + (tx.value("SELECT count(*) FROM accounts WHERE id IN \(list: ids)", as: Int.self) ?? 0)
                    }
                }
            }
            #expect(sums == [300, 300])
        }
    }

    @Test("a row or a transaction kept beyond its closure refuses to work", arguments: DatabaseFixture.allCases)
    func nothingOutlivesItsClosure(fixture: DatabaseFixture) async throws {
        try await fixture.run([accounts]) { database in
            for email in ["a", "b"] { try await database.addAccount(email) }
            try await database.read { tx in
                var kept: Row?
                _ = try tx.first("SELECT email FROM accounts") { kept = $0 }
                let row = try #require(kept)
                let error = #expect(throws: StorageError.self) { try row["email"] as String }
                #expect(error?.isMisuse == true)
            }
            let box = TransactionBox()
            try await database.write { tx in box.transaction = tx }
            let error = #expect(throws: StorageError.self) { try box.transaction?.execute("DELETE FROM accounts") }
            #expect(error?.isMisuse == true)
            #expect(try await database.accountCount == 2)
        }
    }
}

/// What happened, in order, from any thread.
final class Log: Sendable {
    private let storage = Mutex<[String]>([])
    var lines: [String] { storage.withLock { $0 } }
    func add(_ line: String) { storage.withLock { $0.append(line) } }
}

/// Gets a transaction out of its closure, as nobody should. `@unchecked Sendable`: the test touches it on one thread at a time.
private final class TransactionBox: @unchecked Sendable {
    var transaction: Transaction?
}
