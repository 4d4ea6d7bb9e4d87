public import Chassis
package import ChassisEvents
public import ChassisStorage
import Contracts

/// Charges and refunds, with a double-entry ledger. It learns of orders from their events and tells what became of the money by its own.
public enum PaymentService {
    public struct Settings: Sendable {
        public var database: DatabaseURL

        public init(database: DatabaseURL) {
            self.database = database
        }

        public init(_ reader: SettingsReader) {
            database = reader.database(default: "sqlite:.souk/payments.sqlite")
        }
    }

    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Service {
        let database = try await Database.open(
            settings.database, migrations: migrations, logger: platform.logger)
        var service = assemble(
            on: database, orders: .feed(of: platform.client(to: .orders)), provider: SandboxProvider(database: database).provider, platform)
        service.atEnd { await database.close() }
        return service
    }

    package static let migrations = Events.migrations + Idempotency.migrations + PaymentMigrations.all

    /// The service on a database that is open already, between an order-service and a provider of the caller's choice.
    package static func assemble(on database: Database, orders: EventSource, provider: PaymentProvider, _ platform: Platform) -> Service {
        let events = Events(service: .payments, database: database, platform: platform)
        let store = PaymentStore(outbox: events.outbox, jobs: events.jobs, now: { platform.time.now })
        let idempotency = Idempotency(database: database, time: platform.time, randomness: platform.randomness)
        let payments = Payments(database: database, store: store, idempotency: idempotency)
        let jobs = PaymentJobs(database: database, store: store, provider: provider)

        var service = Service(.payments, authenticator: platform.authenticator())
        service.requires("database") { try await database.ping() }
        service.add(PaymentsController(payments: payments), events.feed, events.operations)
        service.run(events.consume(OrderConsumer(store: store).consumer, from: orders))
        service.run(events.work(jobs.handlers + [.idempotencyRetention(idempotency)]))
        return service
    }
}
