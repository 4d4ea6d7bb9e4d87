public import Chassis
public import ChassisEvents
import ChassisStorage
public import Contracts
import Logging

/// Another service, as far as its events go: a real outbox whose events a test says.
public struct Neighbour: Sendable {
    private let database: Database
    private let events: Events

    public init(_ name: ServiceName, _ time: TimeSource = .system) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        database = try await Database.open(.sqliteMemory, migrations: Events.migrations, logger: logger)
        events = Events(service: name, database: database, time: time, randomness: .system, logger: logger)
    }

    public var source: EventSource { .outbox(of: events) }

    public func say(_ event: some Event) async throws {
        try await database.write { [events] in try events.outbox.append(event, in: $0) }
    }

    /// The sequence of the last event; 0 before the first.
    public func latest() async throws -> Int64 {
        try await database.read { try $0.value("SELECT COALESCE(MAX(sequence), 0) FROM outbox") } ?? 0
    }

    public func close() async { await database.close() }
}
