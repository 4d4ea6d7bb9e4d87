public import Chassis
package import ChassisEvents
public import ChassisStorage
import Contracts

/// Creates and tracks orders, and drives the checkout.
public enum OrderService {
    public struct Settings: Sendable {
        public var database: DatabaseURL
        /// How long an order may wait for its payment before it is cancelled.
        public var paymentWindow: Duration

        public init(database: DatabaseURL, paymentWindow: Duration = .seconds(15 * 60)) {
            self.database = database
            self.paymentWindow = paymentWindow
        }

        public init(_ reader: SettingsReader) {
            database = reader.database(default: "sqlite:.souk/orders.sqlite")
            paymentWindow = reader.seconds(
                "payment.window.seconds", default: 900, in: 1...604_800,
                "How long an order may wait for its payment before it is cancelled.")
        }
    }

    /// What an order-service needs of the services around it.
    package struct Neighbours: Sendable {
        let products: Products
        let payments: EventSource
        let stock: EventSource
        let users: EventSource
        /// Ends what is under way to them.
        let close: @Sendable () async -> Void

        /// The neighbours over HTTP.
        ///
        /// - Parameter feed: how their events are read.
        package static func overHTTP(
            _ platform: Platform, feed: (ServiceClient) -> EventSource = { EventSource.feed(of: $0) }
        ) -> Neighbours {
            let toProducts = platform.client(to: .products)
            let products = ProductsOverHTTP(client: toProducts)
            let batcher = ReservationBatcher(time: platform.time, send: products.reserve)
            return Neighbours(
                products: products.products(through: batcher), payments: feed(platform.client(to: .payments)), stock: feed(toProducts),
                users: feed(platform.client(to: .users)), close: { await batcher.shutDown() })
        }
    }

    package static let migrations = Events.migrations + Idempotency.migrations + OrderMigrations.all

    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Service {
        try await assemble(settings, platform, .overHTTP(platform))
    }

    static func assemble(_ settings: Settings, _ platform: Platform, _ neighbours: Neighbours) async throws -> Service {
        let database = try await Database.open(settings.database, migrations: migrations, logger: platform.logger)
        var service = assemble(settings, on: database, platform, neighbours)
        service.atEnd { await database.close() }
        return service
    }

    /// The service on a database that is open already.
    package static func assemble(
        _ settings: Settings, on database: Database, _ platform: Platform, _ neighbours: Neighbours
    ) -> Service {
        let changes = OrderChanges()
        let events = Events(service: .orders, database: database, platform: platform, counters: [pendingCounter])
        let store = OrderStore(
            outbox: events.outbox, changes: changes, paymentWindow: settings.paymentWindow, now: { platform.time.now })
        let idempotency = Idempotency(
            database: database, time: platform.time, randomness: platform.randomness, retention: platform.settings.retention.idempotencyKeys
        )
        let checkout = Checkout(store: store, products: neighbours.products, idempotency: idempotency)
        let orders = Orders(database: database, store: store, products: neighbours.products)
        let following = OrderFollowing(
            orders: orders, changes: changes, time: platform.time, pollInterval: pollInterval(database.dialect))
        let sweep = DeadlineSweep(database: database, store: store, interval: sweepInterval)

        var service = Service(.orders, authenticator: platform.authenticator())
        service.requires("database") { try await database.ping() }
        service.add(OrdersController(checkout: checkout, orders: orders, following: following), events.feed, events.operations)
        service.run(events.consume(PaymentConsumer(store: store).consumer, from: neighbours.payments))
        service.run(events.consume(StockConsumer(store: store).consumer, from: neighbours.stock))
        service.run(events.consume(UserConsumer(store: store).consumer, from: neighbours.users))
        service.run(events.work([sweep.job], trimming: [.idempotencyKeys(of: idempotency)]))
        service.atEnd { await neighbours.close() }
        return service
    }

    /// How late an order may be cancelled after its time to pay.
    private static let sweepInterval: Duration = .seconds(5)

    /// On SQLite there is one process, which is told of every change; on Postgres another replica may have made it.
    private static func pollInterval(_ dialect: Dialect) -> Duration {
        dialect == .postgres ? .seconds(2) : OrderFollowing.heartbeatInterval
    }

    /// Orders that wait for their payment.
    private static let pendingCounter = StatusCounter("ordersWaiting") { transaction in
        try transaction.value("SELECT count(*) FROM orders WHERE status = 'pending'") ?? 0
    }
}
