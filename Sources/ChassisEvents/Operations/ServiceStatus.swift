import Chassis
public import ChassisStorage
import Commerce
import Contracts

/// One more number of `/internal/status`, counted by the service that it is about.
public struct StatusCounter: Sendable {
    /// The member's name in the JSON, for example `ordersWaiting`.
    let name: String
    let count: @Sendable (Transaction) throws -> Int

    public init(_ name: String, _ count: @escaping @Sendable (Transaction) throws -> Int) {
        self.name = name
        self.count = count
    }
}

/// What `/internal/status` answers.
struct ServiceStatus: Encodable, Sendable {
    struct ConsumerStatus: Encodable, Sendable {
        let source: String
        let position: Int64
        let secondsBehind: Double
        /// Why it does not go on without a person; left out when it does.
        let stopped: String?
    }

    let service: String
    let version: String
    let jobsWaiting: Int
    let jobsDead: Int
    /// Events that died, dead jobs not included.
    let deadLetters: Int
    let outboxLatest: Int64
    let consumers: [ConsumerStatus]
    let counters: [String: Int]

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(service, forKey: Key("service"))
        try container.encode(version, forKey: Key("version"))
        try container.encode(jobsWaiting, forKey: Key("jobsWaiting"))
        try container.encode(jobsDead, forKey: Key("jobsDead"))
        try container.encode(deadLetters, forKey: Key("deadLetters"))
        try container.encode(outboxLatest, forKey: Key("outboxLatest"))
        try container.encode(consumers, forKey: Key("consumers"))
        // None of the service's own numbers can take the place of what every service tells.
        for (name, count) in counters where !Self.commonNames.contains(name) { try container.encode(count, forKey: Key(name)) }
    }

    private static let commonNames: Set = [
        "service", "version", "jobsWaiting", "jobsDead", "deadLetters", "outboxLatest", "consumers",
    ]
}

/// Gathers a service's status.
struct StatusReader: Sendable {
    let service: ServiceName
    let database: Database
    let consumers: ConsumerRegistry
    let counters: [StatusCounter]

    func read() async throws -> ServiceStatus {
        try await database.read { [service, consumers, counters] transaction in
            let progress = try consumers.progress.map { progress in
                let position = try ConsumerPosition.current(for: progress.source, in: transaction)?.sequence ?? 0
                return ServiceStatus.ConsumerStatus(
                    source: progress.source.rawValue, position: position, secondsBehind: progress.secondsBehind,
                    stopped: progress.stopReason)
            }
            return ServiceStatus(
                service: service.rawValue, version: SoukVersion.current, jobsWaiting: try JobTable.countWaiting(in: transaction),
                jobsDead: try DeadJobs.count(in: transaction), deadLetters: try DeadEvents.count(in: transaction),
                outboxLatest: try OutboxBounds.read(in: transaction).latest, consumers: progress,
                counters: try Dictionary(counters.map { ($0.name, try $0.count(transaction)) }) { first, _ in first })
        }
    }
}
