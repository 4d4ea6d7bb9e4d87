import Chassis
import ChassisStorage
import Contracts
import Foundation
import Invariants

@testable import Simulation

/// A simulated shop in which a day takes a minute: trade and retention are on the same short scale, the machinery is what it always is.
final class OldShop {
    static let day = Duration.seconds(60)
    static let ordersPerDay = 20

    static var terms: SimulatedShop.Terms {
        var terms = SimulatedShop.Terms()
        terms.paymentWindow = .seconds(20)
        terms.reservationLease = .seconds(30)
        terms.retention.events = day * 7
        terms.retention.idempotencyKeys = day
        terms.retention.interval = .seconds(10)
        terms.reservationRetention = day * 14
        terms.messageRetention = day * 21
        return terms
    }

    private let world: World
    private let checker = SimulationExecutor(SeededGenerator(seed: 0))
    let shop: SimulatedShop
    let trade: Trade

    /// - Parameter statements: where to note what the services ask their databases.
    init(noting statements: Statements? = nil) throws {
        var world = World(seed: 1)
        world.statements = statements
        self.world = world
        let made = Promise<Result<SimulatedShop, any Error>>()
        Task(executorPreference: checker) { [world, terms = Self.terms] in
            made.fulfil(await Result { try await SimulatedShop(world, terms) })
        }
        try checker.runUntilIdle()
        guard let result = made.now else { throw NeverIdle() }
        shop = try result.get()
        trade = try Trade(shop)
        world.faults.stop()
        shop.start()
        try perform { [shop] in try await shop.register([1]) }
        try world.pass(.seconds(1))
        world.start { [trade] in await trade.stock() }
        try world.pass(.seconds(5))
    }

    /// Lets so many days go by.
    func live(days: Int) throws {
        for _ in 0..<days {
            for _ in 0..<4 {
                for _ in 0..<(Self.ordersPerDay / 4) { world.start { [trade] in await trade.order() } }
                try world.pass(.seconds(8))
            }
            world.start { [trade] in
                await trade.closeOfDay()
                await trade.askAgain()
            }
            try world.pass(Self.day - .seconds(32))
        }
    }

    /// The number of rows of each working table, by database and name.
    func workingTables() throws -> [String: Int] {
        var sizes: [String: Int] = [:]
        for table in WorkingTable.all {
            guard let database = shop.books[table.service] else { continue }
            sizes["\(table.service.rawValue)/\(table.name)"] = try perform { try await database.read { try $0.value(table.count) ?? 0 } }
        }
        return sizes
    }

    func orders() throws -> Int {
        guard let database = shop.books.orders else { return 0 }
        return try perform { try await database.read { try $0.value("SELECT count(*) FROM orders") ?? 0 } }
    }

    /// The pages of a database's file.
    func pages(of service: ServiceName) throws -> Int {
        guard let database = shop.books[service] else { return 0 }
        return try perform { try await database.read { try $0.value("PRAGMA page_count") ?? 0 } }
    }

    /// Everything that visitors and operators look at, once.
    func lookAround() throws {
        world.start { [trade] in await trade.lookAround() }
        try world.pass(.seconds(10))
    }

    /// How a database would find the rows that a statement is about.
    func plan(of statement: SQL, by service: ServiceName) throws -> [String] {
        guard let database = shop.books[service] else { return [] }
        return try perform {
            // Nothing is written, but SQLite takes the plan of a write for one.
            try await database.write { transaction in
                try transaction.all("EXPLAIN QUERY PLAN \(statement)") { try $0["detail"] as String }
            }
        }
    }

    func audit() throws -> Audit {
        var books = shop.books
        books.now = world.clock.wall
        return try perform { [books] in try await Audit.of(books, .settled) }
    }

    private func perform<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let promise = Promise<Result<Value, any Error>>()
        Task(executorPreference: checker) { promise.fulfil(await Result { try await body() }) }
        try checker.runUntilIdle()
        guard let result = promise.now else { throw NeverIdle() }
        return try result.get()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// A table of `docs/retention.md` whose rows come and go.
struct WorkingTable: Sendable {
    let service: ServiceName
    let name: String
    let count: SQL

    static let all: [WorkingTable] =
        [ServiceName.products, .orders, .payments, .notifications].flatMap { service in
            [
                WorkingTable(service: service, name: "outbox", count: "SELECT count(*) FROM outbox"),
                WorkingTable(service: service, name: "jobs", count: "SELECT count(*) FROM jobs"),
                WorkingTable(service: service, name: "dead_events", count: "SELECT count(*) FROM dead_events"),
            ]
        }
        + [ServiceName.products, .orders, .payments].map { service in
            WorkingTable(service: service, name: "idempotency_keys", count: "SELECT count(*) FROM idempotency_keys")
        } + [
            WorkingTable(service: .products, name: "reservations", count: "SELECT count(*) FROM reservations"),
            WorkingTable(service: .products, name: "reservation_lines", count: "SELECT count(*) FROM reservation_lines"),
            WorkingTable(service: .notifications, name: "notifications", count: "SELECT count(*) FROM notifications"),
        ]
}
