import Chassis
import ChassisEvents
import ChassisStorage
import Contracts
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// The databases that every promise is tested on.
enum TestDatabase: String, CaseIterable, Sendable {
    case memory, file
}

extension Events {
    static let testMigrations =
        Events.migrations + Idempotency.migrations + [
            Migration("test_001_effects", "CREATE TABLE effects (number $id, what TEXT NOT NULL) $strict;")
        ]
}

/// A service of the test: its database, its clock, its events.
struct Fixture: Sendable {
    let database: Database
    let clock: VirtualTime
    let settings: EventsSettings
    let events: Events
    let service: ServiceName

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Draws the highest number always: every full jitter waits all it may.
    static let steady = Randomness { .max }

    init(_ database: Database, service: ServiceName = .orders, settings: EventsSettings = .test, clock: VirtualTime = VirtualTime()) {
        self.database = database
        self.clock = clock
        self.service = service
        self.settings = settings
        events = Events(
            service: service, database: database, time: clock.source, randomness: Fixture.countingRandomness(), logger: Self.logger,
            settings: settings)
    }

    /// Runs `body` with a service on a fresh database, and cleans up.
    static func with(
        _ kind: TestDatabase, service: ServiceName = .orders, settings: EventsSettings = .test, _ body: (Fixture) async throws -> Void
    ) async throws {
        try await withDatabase(kind) { database in try await body(Fixture(database, service: service, settings: settings)) }
    }

    static func withDatabase(_ kind: TestDatabase, _ body: (Database) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "souk-events-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let url: DatabaseURL =
            switch kind {
            case .memory: .sqliteMemory
            case .file: .sqlite(path: folder.appending(path: "test.db").path)
            }
        let database = try await Database.open(url, migrations: Events.testMigrations, logger: logger)
        do {
            try await body(database)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// Another process on the same database: nothing in memory is shared but the time of day.
    func restarted() -> Fixture {
        Fixture(database, service: service, settings: settings, clock: clock)
    }

    private static func countingRandomness() -> Randomness {
        // High bits set, so that full jitter waits nearly all it may; low bits count, so that ids differ.
        let count = Atomic<UInt64>(0)
        return Randomness { 0xFFFF_FFFF_0000_0000 | count.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    // MARK: Time

    /// Moves the clock step by step until something has happened. After each step the service gets room to do what it does then: each
    /// pass through the database's queue lets it take one more step of its own.
    func advance(by step: Duration = .milliseconds(20), until condition: () async throws -> Bool) async throws {
        try await eventually {
            if try await condition() { return true }
            clock.advance(by: step)
            for _ in 0..<6 {
                try await database.write { _ in }
                for _ in 0..<10 { await Task.yield() }
            }
            return false
        }
    }

    // MARK: Effects

    func effects() async throws -> [String] {
        try await database.read { try $0.all("SELECT what FROM effects ORDER BY number") { try $0["what"] } }
    }

    func append(_ events: [Happened]) async throws {
        try await database.write { [outbox = self.events.outbox] transaction in
            for event in events { try outbox.append(event, in: transaction) }
        }
    }

    func append(_ numbers: ClosedRange<Int>) async throws {
        try await append(numbers.map { Happened(what: "\($0)") })
    }
}

extension EventsSettings {
    /// No pauses that a test would have to wait for.
    static var test: EventsSettings {
        var settings = EventsSettings()
        settings.consumerPace = .zero
        return settings
    }
}

extension Transaction {
    func note(_ what: String) throws {
        try execute("INSERT INTO effects (what) VALUES (\(what))")
    }
}

/// An event that means nothing.
struct Happened: Event {
    static let eventType = "souk.test.happened"
    static let source = ServiceName.orders
    var subject: String { what }
    let what: String
}

struct Refused: Error {}

/// Runs a service while `body` runs, then stops it gracefully.
func running(_ services: any ServiceLifecycle.Service..., body: () async throws -> Void) async throws {
    let group = ServiceGroup(
        configuration: .init(services: services.map { .init(service: $0) }, logger: Fixture.logger))
    let task = Task { try await group.run() }
    do {
        try await body()
    } catch {
        await group.triggerGracefulShutdown()
        _ = await task.result
        throw error
    }
    await group.triggerGracefulShutdown()
    try await task.value
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) { storage = Mutex(value) }

    var value: Value { storage.withLock { $0 } }

    @discardableResult
    func change<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result { storage.withLock { body(&$0) } }
}
