import ChassisStorage
import Contracts

/// A consumer and the producer whose events it follows.
struct Wire: Sendable, Hashable {
    let consumer: ServiceName
    let producer: ServiceName

    /// Who listens to whom in a shop.
    static let all: [Wire] = [
        Wire(consumer: .products, producer: .orders),
        Wire(consumer: .orders, producer: .users),
        Wire(consumer: .orders, producer: .products),
        Wire(consumer: .orders, producer: .payments),
        Wire(consumer: .payments, producer: .orders),
        Wire(consumer: .notifications, producer: .users),
        Wire(consumer: .notifications, producer: .orders),
        Wire(consumer: .notifications, producer: .payments),
    ]

    /// Those with both ends at hand.
    static func all(in books: Books) -> [Wire] {
        all.filter { books[$0.consumer] != nil && books[$0.producer] != nil }
    }

    var name: String { "\(consumer.rawValue) at \(producer.rawValue)" }

}

/// Where consumers stand and how far outboxes reach, each database read once.
private struct Progress: Sendable {
    struct Bounds: Sendable {
        let latest: Int64
        let trimmedThrough: Int64
    }

    /// The outboxes that somebody follows.
    static func outboxes(of wires: [Wire], in books: Books) async throws -> [ServiceName: Bounds] {
        var bounds: [ServiceName: Bounds] = [:]
        for producer in Set(wires.map(\.producer)).sorted(by: { $0.rawValue < $1.rawValue }) {
            bounds[producer] = try await books.read(producer) { transaction in
                let trimmedThrough = try transaction.value("SELECT trimmed_through FROM outbox_retention", as: Int64.self) ?? 0
                let latest = try transaction.value("SELECT COALESCE(MAX(sequence), 0) FROM outbox", as: Int64.self) ?? 0
                return Bounds(latest: max(latest, trimmedThrough), trimmedThrough: trimmedThrough)
            }
        }
        return bounds
    }

    /// Where each consumer stands; nowhere before it has read anything.
    static func positions(of wires: [Wire], in books: Books) async throws -> [Wire: Int64] {
        var positions: [Wire: Int64] = [:]
        for consumer in Set(wires.map(\.consumer)).sorted(by: { $0.rawValue < $1.rawValue }) {
            let rows = try await books.read(consumer) { transaction in
                try transaction.all("SELECT source, position FROM consumer_positions") { row in
                    (try row["source"] as String, try row["position"] as Int64)
                }
            }
            for (source, position) in rows {
                if let producer = ServiceName(rawValue: source) { positions[Wire(consumer: consumer, producer: producer)] = position }
            }
        }
        return positions
    }
}

extension Invariant {
    static let outboxReachesConsumers = Invariant(
        "outbox-reaches-consumers", .events, .always, reading: Books.services, isPartial: true,
        "No consumer stands beyond its producer's last event, and none has missed events that are trimmed."
    ) { books in
        var finding = Finding()
        let wires = Wire.all(in: books)
        // What is trimmed was read before; what the position has passed was there before. So one look on either side of it.
        let before = try await Progress.outboxes(of: wires, in: books)
        let positions = try await Progress.positions(of: wires, in: books)
        let after = try await Progress.outboxes(of: wires, in: books)
        for wire in wires {
            finding.examined += 1
            let (position, trimmedThrough) = (positions[wire] ?? 0, before[wire.producer]?.trimmedThrough ?? 0)
            let latest = after[wire.producer]?.latest ?? 0
            if position < trimmedThrough {
                finding.violation(wire.name, "stands at \(position), but events up to \(trimmedThrough) are gone")
            }
            if position > latest { finding.violation(wire.name, "stands at \(position), but the last event is \(latest)") }
        }
        return finding
    }

    static let allEventsAreConsumed = Invariant(
        "all-events-are-consumed", .events, .settled, reading: Books.services, isPartial: true,
        "Every consumer stands at the end of its producer's outbox."
    ) { books in
        var finding = Finding()
        let wires = Wire.all(in: books)
        let outboxes = try await Progress.outboxes(of: wires, in: books)
        let positions = try await Progress.positions(of: wires, in: books)
        for wire in wires {
            finding.examined += 1
            let (latest, position) = (outboxes[wire.producer]?.latest ?? 0, positions[wire] ?? 0)
            if position < latest { finding.violation(wire.name, "stands at \(position) of \(latest) events") }
        }
        return finding
    }
}
