import Chassis
import ChassisStorage
import Commerce
import Contracts
import Invariants

/// A mistake put into books that are in order: the one invariant that must notice it, and what it must name.
struct Plant: Sendable, CustomStringConvertible {
    enum Ground: String, Sendable { case settled, busy }

    let invariant: String
    let mistake: String
    let ground: Ground
    /// Makes the mistake, and returns the id that the violation must have.
    let make: @Sendable (SmallShop) async throws -> String

    init(
        _ invariant: String, _ mistake: String, in ground: Ground = .settled, _ make: @escaping @Sendable (SmallShop) async throws -> String
    ) {
        self.invariant = invariant
        self.mistake = mistake
        self.ground = ground
        self.make = make
    }

    var description: String { "\(invariant): \(mistake)" }

    static let all = stock + money + events + messages + progress
}

extension SmallShop {
    /// Has a service say something that it should not.
    func say(_ service: ServiceName, _ type: String, of subject: Int64, data: String = "{}") async throws {
        try await change(
            service,
            """
            INSERT INTO outbox (id, source, type, subject, time, data)
            VALUES (\("planted-\(subject)"), \(service.rawValue), \(type), \("\(subject)"), 0, \(data))
            """)
    }

    /// The place of an event in its producer's outbox.
    func sequence(_ producer: ServiceName, _ type: String, of subject: Int64) async throws -> Int64 {
        try await number(producer, "SELECT MAX(sequence) FROM outbox WHERE type = \(type) AND subject = \("\(subject)")")
    }

    /// Has a consumer pass an event without applying it, and returns how the event is named.
    func skip(_ consumer: ServiceName, past type: String, of subject: Int64, from producer: ServiceName) async throws -> String {
        let sequence = try await sequence(producer, type, of: subject)
        try await change(
            consumer, "UPDATE consumer_positions SET position = \(sequence) WHERE source = \(producer.rawValue) AND position < \(sequence)")
        return "\(producer.rawValue)/event-\(sequence)"
    }

    /// Trims all that a service has said: from then on only the tables can tell.
    func forget(_ service: ServiceName) async throws {
        try await change(
            service, "UPDATE outbox_retention SET trimmed_through = (SELECT COALESCE(MAX(sequence), 0) FROM outbox)", "DELETE FROM outbox")
    }

    /// Adds a job: due now if it waits, overdue for ages if it is leased.
    func addJob(_ service: ServiceName, _ kind: String, key: String, state: String = "waiting") async throws -> String {
        try await change(
            service,
            """
            INSERT INTO jobs (kind, key, payload, state, due_at, enqueued_at, error)
            VALUES (\(kind), \(key), '{}', \(state), \(state == "leased" ? 0 : time.now.millisecondsSinceEpoch), 0, 'planted')
            """)
        return "\(service.rawValue)/job-\(try await number(service, "SELECT MAX(id) FROM jobs"))"
    }
}
