import ChassisStorage
import Commerce

/// Events of an outbox after a position, in order.
struct OutboxPage: Sendable {
    let events: [CloudEvent]

    /// Reads at most `limit` events after `position`.
    ///
    /// - Throws: ``FeedError`` when the outbox cannot continue at `position`; `StorageError`.
    static func read(after position: Int64, limit: Int, in database: Database) async throws -> OutboxPage {
        let first = try await database.read { transaction in
            (page: try read(after: position, limit: limit, in: transaction), incomplete: try OutboxOrder.hasUnnumbered(in: transaction))
        }
        guard first.incomplete, first.page.events.count < limit else { return first.page }
        try await database.write { try OutboxOrder.number(in: $0) }
        return try await database.read { try read(after: position, limit: limit, in: $0) }
    }

    private static func read(after position: Int64, limit: Int, in transaction: Transaction) throws -> OutboxPage {
        var trimmedThrough: Int64 = 0
        let events = try transaction.all(
            """
            SELECT sequence, id, source, type, subject, time, traceparent, data, (SELECT trimmed_through FROM outbox_retention) AS trimmed_through
            FROM outbox WHERE sequence > \(position) ORDER BY sequence LIMIT \(limit)
            """
        ) { row in
            trimmedThrough = try row["trimmed_through"]
            return CloudEvent(
                id: try row["id"], source: try row["source"], type: try row["type"], subject: try row["subject"], time: try row["time"],
                sequence: try row["sequence"], traceparent: try row["traceparent"], data: try row["data"])
        }
        if events.isEmpty {
            let bounds = try OutboxBounds.read(in: transaction)
            guard position <= bounds.latest else { throw FeedError.ahead(position: position, latest: bounds.latest) }
            trimmedThrough = bounds.trimmedThrough
        }
        guard position >= trimmedThrough else { throw FeedError.truncated(position: position, trimmedThrough: trimmedThrough) }
        return OutboxPage(events: events)
    }
}

/// How far an outbox reaches.
struct OutboxBounds: Sendable {
    /// The highest sequence there ever was; 0 before the first event.
    let latest: Int64
    /// Events up to here are gone.
    let trimmedThrough: Int64

    static func read(in transaction: Transaction) throws -> OutboxBounds {
        let trimmedThrough = try transaction.value("SELECT trimmed_through FROM outbox_retention", as: Int64.self) ?? 0
        let kept = try transaction.value("SELECT MAX(sequence) FROM outbox", as: Int64?.self) ?? nil
        return OutboxBounds(latest: max(kept ?? 0, trimmedThrough), trimmedThrough: trimmedThrough)
    }
}
