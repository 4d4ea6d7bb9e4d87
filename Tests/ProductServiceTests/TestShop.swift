import Chassis
import ChassisEvents
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Foundation
import Logging
import Synchronization
import Testing

@testable import ProductService

/// The stores of product-service over an empty database in memory, with a clock that a test moves.
struct TestShop: Sendable {
    let clock: TestClock
    let database: Database
    let products: ProductStore
    let reservations: ReservationStore
    let events: Events

    init(lease: Duration = .seconds(900)) async throws {
        clock = TestClock()
        database = try await Database.open(
            .sqliteMemory, migrations: Events.migrations + Idempotency.migrations + ProductMigrations.all, logger: .silent)
        events = Events(service: .products, database: database, time: clock.source, randomness: .system, logger: .silent)
        products = ProductStore(database: database, time: clock.source)
        reservations = ReservationStore(
            database: database, products: products, outbox: events.outbox, time: clock.source, lease: lease)
    }

    /// Adds a product with as little said as possible.
    @discardableResult
    func add(
        _ name: String = "Thing", cents: Int64 = 1000, stock: Int64 = 10, category: String = "Things", description: String = "",
        currency: Currency = .usd
    ) async throws -> Product {
        let price = Money(minorUnits: cents, currency: currency)
        let details = ProductDetails(name: name, description: description, category: category, price: price)
        return try await products.write { [products] in try products.add(NewProduct(details: details, stock: stock), in: $0) }
    }

    func withdraw(_ quantity: Int64, from id: ProductID, kind: StockMovement.Kind = .sale) async throws -> Product {
        let withdrawal = StockWithdrawal(quantity: try pieces(quantity), kind: kind, reason: "test")
        return try await products.write { [products] in try products.withdraw(withdrawal, from: id, in: $0) }
    }

    func restock(_ quantity: Int64, of id: ProductID) async throws -> Product {
        let restocking = Restocking(quantity: try pieces(quantity), reason: "test")
        return try await products.write { [products] in try products.restock(restocking, of: id, in: $0) }
    }

    func reserve(_ id: String, _ lines: [(ProductID, Int64)]) async throws -> ReservationOutcome {
        let request = ReservationRequest(
            id: id, lines: try lines.map { ReservationLine(productID: $0.0, quantity: try pieces($0.1)) })
        return try #require(await reservations.reserve([request]).first)
    }

    func apply(_ event: ReservationEvent, to id: String) async throws {
        try await database.write { [reservations] in try reservations.apply(event, to: id, in: $0) }
    }

    func state(of id: String) async throws -> ReservationState? {
        try await database.read { try $0.value("SELECT state FROM reservations WHERE id = \(id)") }
    }

    /// The types of all events announced so far.
    func announced() async throws -> [String] {
        try await database.read { try $0.all("SELECT type FROM outbox ORDER BY sequence") { try $0["type"] } }
    }
}

/// A clock that stands until a test moves it, or until somebody sleeps: that takes no time but moves it.
final class TestClock: Sendable {
    private let elapsed = Mutex<Duration>(.zero)
    private static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)

    func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

    var source: TimeSource {
        TimeSource(
            now: { Self.start + self.elapsed.withLock { $0 } },
            monotonic: { self.elapsed.withLock { $0 } },
            sleep: { duration in
                try Task.checkCancellation()
                self.advance(by: duration)
                await Task.yield()
            })
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

func pieces(_ count: Int64) throws -> Quantity { try #require(Quantity(rawValue: count)) }
func order(_ id: Int64) throws -> OrderID { try #require(OrderID(rawValue: id)) }
func product(_ id: Int64) throws -> ProductID { try #require(ProductID(rawValue: id)) }

/// The real service on a loopback port, for tests that speak HTTP.
func withService<Result: Sendable>(
    demo: Bool = false, database: DatabaseURL = .sqliteMemory, _ body: @escaping @Sendable (TestClient) async throws -> Result
) async throws -> Result {
    let harness = try ServiceHarness(.products)
    let service = try await ProductService.assemble(.init(database: database, loadsDemoCatalog: demo), harness.platform)
    return try await harness.run(service, body)
}

/// A database file in a directory of its own, which is gone afterwards.
func withDatabaseFile<Result>(_ body: (DatabaseURL) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "products-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(.sqlite(path: directory.appending(path: "products.sqlite").path))
}
