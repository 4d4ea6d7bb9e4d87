public import Chassis
package import ChassisEvents
public import ChassisStorage
import Commerce
import Contracts

/// product-service: the catalog, its search, its stock and the reservations of it.
public enum ProductService {
    public struct Settings: Sendable {
        public var database: DatabaseURL
        /// Whether an empty catalog is filled with demo products.
        public var loadsDemoCatalog: Bool
        /// How long a reservation is held before it ends by itself.
        public var reservationLease: Duration
        /// How long a reservation is kept after its end.
        public var reservationRetention: Duration

        public init(
            database: DatabaseURL, loadsDemoCatalog: Bool = true, reservationLease: Duration = .seconds(900),
            reservationRetention: Duration = .seconds(30 * 86_400)
        ) {
            self.database = database
            self.loadsDemoCatalog = loadsDemoCatalog
            self.reservationLease = reservationLease
            self.reservationRetention = reservationRetention
        }

        public init(_ reader: SettingsReader) {
            database = reader.database(default: "sqlite:.souk/products.sqlite")
            loadsDemoCatalog =
                reader.choice("demo.catalog", default: Choice.true, "Whether an empty catalog gets the demo products.") == .true
            reservationLease = reader.seconds(
                "reservation.lease.seconds", default: 900, in: 1...86_400,
                "How long pieces are held for an order before it is paid; not shorter than the payment deadline of order-service.")
            let days = reader.integer(
                "retention.reservations.days", default: 30, in: 30...3_650,
                "How long a reservation is kept after its end; longer than an order may be unpaid and events are kept.")
            reservationRetention = .seconds(days * 86_400)
        }

        private enum Choice: String, CaseIterable { case `true`, `false` }
    }

    package static let migrations = Events.migrations + Idempotency.migrations + ProductMigrations.all

    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Service {
        let database = try await Database.open(settings.database, migrations: migrations, logger: platform.logger)
        var service = try await assemble(settings, on: database, platform, orders: .feed(of: platform.client(to: .orders)))
        service.atEnd { await database.close() }
        return service
    }

    /// Everything this service answers, consumes and does by itself, on a database that is open already.
    package static func assemble(
        _ settings: Settings, on database: Database, _ platform: Platform, orders: EventSource
    ) async throws -> Service {
        let events = Events(
            service: .products, database: database, platform: platform, counters: [ReservationStore.heldCounter])
        let idempotency = Idempotency(
            database: database, time: platform.time, randomness: platform.randomness, retention: platform.settings.retention.idempotencyKeys
        )
        let products = ProductStore(database: database, time: platform.time)
        let reservations = ReservationStore(
            database: database, products: products, outbox: events.outbox, time: platform.time, lease: settings.reservationLease)
        // On SQLite this process sees every change; on Postgres other replicas write too.
        let cache = CatalogCache(
            version: products.version, time: platform.time, limits: .init(maximumAge: database.dialect == .postgres ? .seconds(1) : nil))
        if settings.loadsDemoCatalog { try await products.loadDemoCatalog() }

        var service = Service(.products, authenticator: platform.authenticator())
        service.requires("database") { try await database.ping() }
        service.add(
            ProductsController(products: products, cache: cache, idempotency: idempotency),
            StockController(products: products, idempotency: idempotency),
            ReservationsController(reservations: reservations),
            events.feed, events.operations)
        service.run(events.consume(OrderEvents(reservations: reservations).consumer, from: orders))
        service.run(
            events.work(
                [LeaseSweep(reservations: reservations).job],
                trimming: [.idempotencyKeys(of: idempotency), ReservationStore.retention(keeping: settings.reservationRetention)]))
        return service
    }
}
