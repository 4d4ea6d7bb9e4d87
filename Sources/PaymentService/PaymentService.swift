public import Chassis
package import ChassisEvents
public import ChassisStorage
import Contracts

/// Charges and refunds, with a double-entry ledger. It learns of orders from their events and tells what became of the money by its own.
public enum PaymentService {
    public struct Settings: Sendable {
        public var database: DatabaseURL
        /// Signs the sandbox provider's notices; nil derives it from the service secret.
        public var sandboxWebhookSecret: ServiceSecret?

        public init(database: DatabaseURL, sandboxWebhookSecret: ServiceSecret? = nil) {
            self.database = database
            self.sandboxWebhookSecret = sandboxWebhookSecret
        }

        public init(_ reader: SettingsReader) {
            database = reader.database(default: "sqlite:.souk/payments.sqlite")
            let secret = reader.secret(
                "sandbox.webhook.secret", minimumLength: ServiceSecret.minimumLength,
                "Signs the sandbox provider's notices; unset derives it from the service secret.")
            sandboxWebhookSecret = secret.flatMap { try? ServiceSecret($0) }
        }
    }

    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Service {
        let database = try await Database.open(
            settings.database, migrations: migrations, logger: platform.logger)
        var service = assemble(
            on: database, orders: .feed(of: platform.client(to: .orders)),
            signature: settings.sandboxWebhookSecret.map { WebhookSignature(secret: $0, time: platform.time) }, platform)
        service.atEnd { await database.close() }
        return service
    }

    package static let migrations = Events.migrations + Idempotency.migrations + PaymentMigrations.all

    /// What signs the sandbox provider's notices when nothing else is set.
    package static func sandboxSignature(_ secret: ServiceSecret, _ time: TimeSource) -> WebhookSignature {
        WebhookSignature(secret: secret.derived(for: "souk sandbox webhook"), time: time)
    }

    /// The service on a database that is open already, between an order-service and a provider of the caller's choice.
    ///
    /// - Parameter provider: nil for the sandbox, with a bank that plays `tok_chargeback`.
    package static func assemble(
        on database: Database, orders: EventSource, provider: PaymentProvider? = nil, signature: WebhookSignature? = nil,
        _ platform: Platform
    ) -> Service {
        let signature = signature ?? sandboxSignature(platform.settings.serviceSecret, platform.time)
        let events = Events(service: .payments, database: database, platform: platform)
        let store = PaymentStore(outbox: events.outbox, jobs: events.jobs, now: { platform.time.now })
        let idempotency = Idempotency(
            database: database, time: platform.time, randomness: platform.randomness, retention: platform.settings.retention.idempotencyKeys
        )
        let payments = Payments(database: database, store: store, idempotency: idempotency)
        let sandbox = SandboxProvider(database: database, signature: signature)
        let notices = ProviderNotices(
            database: database, store: store, provider: provider ?? sandbox.provider, logger: platform.logger)
        let bank = SandboxBank(sandbox: sandbox, notices: notices, jobs: events.jobs, time: platform.time)
        let provider = provider ?? SandboxProvider(database: database, signature: signature, charged: bank.begin).provider
        let jobs = PaymentJobs(database: database, store: store, provider: provider)

        var service = Service(.payments, authenticator: platform.authenticator())
        service.requires("database") { try await database.ping() }
        service.add(PaymentsController(payments: payments), WebhooksController(notices: notices), events.feed, events.operations)
        service.run(events.consume(OrderConsumer(store: store).consumer, from: orders))
        service.run(
            events.work(
                jobs.handlers + [bank.handler], trimming: [.idempotencyKeys(of: idempotency), PaymentStore.noticeRetention]))
        return service
    }
}
