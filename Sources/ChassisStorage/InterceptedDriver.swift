/// What is done around every transaction of a database: how the simulation lets a process die at its commits, and learns what it asks for.
package struct DatabaseInterception: Sendable {
    /// Before a transaction begins; what it throws is the caller's.
    package let before: @Sendable () async throws -> Void
    /// At the end of a write, in its transaction: what it throws undoes the write.
    package let beforeCommit: @Sendable () throws -> Void
    /// After a transaction has ended, before its caller hears; what it throws the caller gets instead.
    package let after: @Sendable (_ isWrite: Bool) async throws -> Void
    /// Before each statement; nil when nobody wants to know.
    package let statement: (@Sendable (SQL) -> Void)?

    package init(
        before: @escaping @Sendable () async throws -> Void, beforeCommit: @escaping @Sendable () throws -> Void,
        after: @escaping @Sendable (_ isWrite: Bool) async throws -> Void, statement: (@Sendable (SQL) -> Void)? = nil
    ) {
        self.before = before
        self.beforeCommit = beforeCommit
        self.after = after
        self.statement = statement
    }
}

extension Database {
    /// The same database as one process sees it. Closing it leaves this one open.
    package func intercepted(by interception: DatabaseInterception) -> Database {
        Database(driver: InterceptedDriver(database: self, interception: interception))
    }
}

private final class InterceptedDriver: DatabaseDriver {
    private let database: Database
    private let interception: DatabaseInterception

    init(database: Database, interception: DatabaseInterception) {
        self.database = database
        self.interception = interception
    }

    var dialect: Dialect { database.dialect }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await interception.before()
        let result = try await database.read { [interception] transaction in
            transaction.observer = interception.statement
            return try body(transaction)
        }
        try await interception.after(false)
        return result
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await interception.before()
        let result = try await database.write { [interception] transaction in
            transaction.observer = interception.statement
            let result = try body(transaction)
            try interception.beforeCommit()
            return result
        }
        try await interception.after(true)
        return result
    }

    func check() async throws {}

    func close() async {}

    func abandon() {}
}
