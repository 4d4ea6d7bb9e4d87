public import Chassis
package import ChassisEvents
package import ChassisStorage
import Contracts

/// Tells customers what happens, by email and SMS. Without either set up, messages are kept and shown: the development inbox.
public enum NotificationService {
    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Service {
        try await assemble(
            settings, platform, users: .feed(of: platform.client(to: .users)), orders: .feed(of: platform.client(to: .orders)),
            payments: .feed(of: platform.client(to: .payments)))
    }

    /// The service with sources of events of the caller's choice.
    static func assemble(
        _ settings: Settings, _ platform: Platform, users: EventSource, orders: EventSource, payments: EventSource
    ) async throws -> Service {
        let database = try await Database.open(settings.database, migrations: migrations, logger: platform.logger)
        var service = try assemble(settings, on: database, platform, users: users, orders: orders, payments: payments)
        service.atEnd { await database.close() }
        return service
    }

    package static let migrations = Events.migrations + NotificationMigrations.all

    /// The service on a database that is open already.
    package static func assemble(
        _ settings: Settings, on database: Database, _ platform: Platform, users: EventSource, orders: EventSource, payments: EventSource
    ) throws -> Service {
        let events = Events(service: .notifications, database: database, platform: platform)
        let smtp = settings.smtp.map { SMTPSender($0, time: platform.time) }
        let sms = settings.sms(over: platform.transport)
        let store = NotificationStore(jobs: events.jobs, now: { platform.time.now }) { channel in
            channel == .email ? smtp != nil : sms != nil
        }
        let templates = try Templates()
        let consumers = EventConsumers(store: store)
        let sender = NotificationSender(
            database: database, store: store, templates: templates, email: smtp?.sender, sms: sms?.sender)

        var service = Service(.notifications, authenticator: platform.authenticator())
        service.requires("database") { try await database.ping() }
        service.add(
            NotificationsController(notifications: Notifications(database: database, store: store, templates: templates)), events.feed,
            events.operations)
        service.run(events.consume(consumers.users, from: users))
        service.run(events.consume(consumers.orders, from: orders))
        service.run(events.consume(consumers.payments, from: payments))
        service.run(events.work([sender.handler], trimming: [NotificationStore.retention(keeping: settings.messageRetention)]))
        service.atEnd { try? await smtp?.close() }
        return service
    }
}
