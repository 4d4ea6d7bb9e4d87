public import Chassis
import ChassisEvents
package import ChassisStorage
import Commerce
import Contracts
import Foundation

/// Accounts and sessions: who people are, and how they prove it to every other service.
public enum UserService {
    package static let migrations = Events.migrations + UserMigrations.all

    /// Builds the service. It returns once the database is migrated, there is a key to sign with, and there is an administrator.
    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Chassis.Service {
        let (time, randomness) = (platform.time, platform.randomness)
        let database = try await Database.open(
            settings.database, migrations: migrations, logger: platform.logger)
        let events = Events(service: .users, database: database, platform: platform)
        let store = UserStore(database: database, outbox: events.outbox, jobs: events.jobs, randomness: randomness)

        let queue = HashingQueue(width: ProcessInfo.processInfo.activeProcessorCount, capacity: settings.passwordQueue)
        let hasher = PasswordHasher(
            cost: .standard(logN: settings.passwordCost) ?? .standard, queue: queue, time: time, randomness: randomness)
        let throttle = LoginThrottle(account: settings.accountLimit, address: settings.addressLimit, time: time)
        let keys = SigningKeyRing(
            store: store, schedule: KeySchedule(rotation: settings.keyRotation, tokenLifetime: AccessTokenClaims.standardLifetime),
            issuer: platform.settings.tokenIssuer, audience: platform.settings.tokenAudience, time: time, randomness: randomness)
        try await keys.rotate()
        try await administrator(settings, store, hasher, platform)

        let accounts = Accounts(store: store, hasher: hasher, throttle: throttle, time: time)
        let sessions = Sessions(store: store, hasher: hasher, throttle: throttle, keys: keys, time: time, randomness: randomness)
        let recovery = Recovery(store: store, hasher: hasher, throttle: throttle, time: time)
        let sender = MessageSender.notifications(platform.client(to: .notifications))
        let messages = MessageWork(store: store, sender: sender, time: time, randomness: randomness)
        let housekeeping = Housekeeping(keys: keys)

        let authenticator = platform.authenticator(keys: KeySource { try await keys.published() })
        var service = Chassis.Service(.users, authenticator: authenticator)
        service.requires("database") { try await database.ping() }
        service.add(
            AccountsController(accounts: accounts), ProfileController(accounts: accounts), SessionsController(sessions: sessions),
            RecoveryController(recovery: recovery, authenticator: authenticator), KeysController(keys: keys), events.feed, events.operations
        )
        service.run(events.work(messages.handlers + housekeeping.handlers, trimming: Housekeeping.retentions))
        service.atEnd { await database.close() }
        return service
    }

    private static func administrator(
        _ settings: Settings, _ store: UserStore, _ hasher: PasswordHasher, _ platform: Platform
    ) async throws {
        guard let email = EmailAddress(settings.administratorEmail) else {
            throw SettingsError(sentences: ["SOUK_ADMIN_EMAIL must be an email address."])
        }
        let first = FirstAdministrator(
            store: store, hasher: hasher, time: platform.time, randomness: platform.randomness, announce: settings.announce)
        try await first.ensure(email: email, password: settings.administratorPassword)
    }
}
