import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts
import Crypto
import Foundation
import Logging
import Synchronization

@testable import UserService

/// A clock that a test moves. Who sleeps on it is noted and goes on at once.
final class ManualClock: Sendable {
    private struct State {
        var elapsed: Duration = .zero
        var sleeps: [Duration] = []
    }

    private static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)
    private let state = Mutex(State())

    var source: TimeSource {
        TimeSource(
            now: { Self.start + self.state.withLock { $0.elapsed } },
            monotonic: { self.state.withLock { $0.elapsed } },
            sleep: { duration in self.state.withLock { $0.sleeps.append(duration) } })
    }

    var now: Timestamp { source.now }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }

    func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }
}

/// Stands in for scrypt: quick, and counts what it is asked for.
final class CountingDerivation: Sendable {
    private let costs = Mutex<[ScryptCost]>([])

    var derivation: KeyDerivation {
        KeyDerivation { password, salt, cost in
            self.costs.withLock { $0.append(cost) }
            return Array(SHA256.hash(data: Data(password.bytes + salt + [UInt8(cost.logN)])))
        }
    }

    /// The cost of each derivation so far.
    var calls: [ScryptCost] { costs.withLock { $0 } }
    var count: Int { calls.count }
}

/// The parts of the service over a database in memory, on a clock that the test moves.
struct Fixture {
    static let cheap = ScryptCost(logN: 4, blockSize: 8, parallelism: 1)!

    let clock = ManualClock()
    let derivation = CountingDerivation()
    let database: Database
    let store: UserStore
    let hasher: PasswordHasher
    let throttle: LoginThrottle
    let keys: SigningKeyRing
    let accounts: Accounts
    let sessions: Sessions
    let recovery: Recovery

    init(cost: ScryptCost = Self.cheap) async throws {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let time = clock.source
        database = try await Database.open(.sqliteMemory, migrations: Events.migrations + UserMigrations.all, logger: logger)
        let events = Events(service: .users, database: database, time: time, randomness: .system, logger: logger)
        store = UserStore(database: database, outbox: events.outbox, jobs: events.jobs, randomness: .system)
        hasher = PasswordHasher(
            cost: cost, derivation: derivation.derivation, queue: HashingQueue(width: 2, capacity: 100), time: time, randomness: .system)
        throttle = LoginThrottle(time: time)
        keys = SigningKeyRing(
            store: store, schedule: KeySchedule(rotation: .seconds(30 * 86_400), tokenLifetime: .seconds(900)), issuer: "iss",
            audience: "aud",
            time: time, randomness: .system)
        accounts = Accounts(store: store, hasher: hasher, throttle: throttle, time: time)
        sessions = Sessions(store: store, hasher: hasher, throttle: throttle, keys: keys, time: time, randomness: .system)
        recovery = Recovery(store: store, hasher: hasher, throttle: throttle, time: time)
    }

    /// The same parts with passwords that are hashed at another cost from now on.
    func sessions(cost: ScryptCost) -> Sessions {
        sessions(
            PasswordHasher(
                cost: cost, derivation: derivation.derivation, queue: HashingQueue(width: 2, capacity: 100), time: clock.source,
                randomness: .system))
    }

    /// The same parts with another hasher.
    func sessions(_ hasher: PasswordHasher) -> Sessions {
        Sessions(store: store, hasher: hasher, throttle: throttle, keys: keys, time: clock.source, randomness: .system)
    }

    @discardableResult
    func register(_ email: String = "ada@example.org", password: String = "correct horse", name: String = "Ada") async throws -> User {
        try await accounts.register(name: PersonName(name)!, email: EmailAddress(email)!, password: Password(password))
    }

    func logIn(_ email: String = "ada@example.org", password: String = "correct horse", from address: String? = nil) async throws -> Session
    {
        try await sessions.logIn(
            account: email, password: Password(password), address: address.flatMap { ClientAddress(forwardedFor: nil, peer: $0) })
    }

    func refresh(_ token: OpaqueToken) async throws -> Session {
        try await sessions.refresh(token, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The types of the events said so far, oldest first.
    func eventTypes() async throws -> [String] {
        try await database.read { try $0.all("SELECT type FROM outbox ORDER BY sequence") { try $0["type"] } }
    }

    /// The payloads of the jobs of a kind that wait.
    func jobs(_ kind: String) async throws -> [String] {
        try await database.read { try $0.all("SELECT payload FROM jobs WHERE kind = \(kind) ORDER BY id") { try $0["payload"] } }
    }

    /// Does the jobs of messages that wait, as the worker would, and returns what was sent.
    func sendMessages(failing: Bool = false) async throws -> [SecretMessage] {
        let sent = Mutex<[SecretMessage]>([])
        let handOver = MessageSender { message in
            sent.withLock { $0.append(message) }
            if failing { throw ServiceClientError.unavailable(.notifications) }
        }
        let work = MessageWork(store: store, sender: handOver, time: clock.source, randomness: .system)
        for payload in try await jobs(FindAccountToReset.kind) {
            let job = try JSONDecoder().decode(FindAccountToReset.self, from: Data(payload.utf8))
            guard case .done(let record) = work.find(job) else { continue }
            try await database.write { transaction in
                try transaction.execute("DELETE FROM jobs WHERE payload = \(payload)")
                try record(transaction)
            }
        }
        for payload in try await jobs(SendSecretMessage.kind) {
            let job = try JSONDecoder().decode(SendSecretMessage.self, from: Data(payload.utf8))
            do {
                _ = try await work.send(job)
                try await database.write { _ = try $0.execute("DELETE FROM jobs WHERE payload = \(payload)") }
            } catch is ServiceClientError {
                continue
            }
        }
        return sent.withLock { $0 }
    }
}
