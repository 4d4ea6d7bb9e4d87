public import Chassis
public import ChassisStorage
import Commerce
public import Contracts

// The outbox: how a fact and its announcement become true together.
//
// The problem. A service changes its database and must tell others. Telling first may announce what is then rolled back; telling
// afterwards is lost when the process dies in between. No order of the two is right, because they are two systems.
//
// The way out. The event is a row of the table `outbox`, written in the transaction that makes it true. One commit decides both. Whoever
// wants the events reads the table (the feed, see `FeedController`) as often as it likes: reading changes nothing.
//
// Order. Every event has a `sequence`. What a reader relies on, and nothing more: if it has read up to N, no event at or below N will ever
// appear that it has not seen. A sequence number drawn when a row is inserted gives that only if transactions become visible in the order
// in which they drew, which is true of SQLite and false of Postgres: see `OutboxOrder`, where the whole difference lives.
//
// What a crash leaves. Before the commit: neither the change nor the event. After it: both, and the event is read when the service is up
// again. A wake-up that is lost with the process costs nothing, for the wait it would have ended is gone too.
//
// Wake-up. A reader that has caught up waits in the feed. `append` asks the transaction to signal it once it is committed, so that an
// event travels at once and nobody polls quickly. Rolled back, it signals nothing.
//
// Size. Rows are never changed. Those older than the retention are trimmed by `Retention.outbox`, which also says what that means to a
// reader that was away for longer.

/// Where a service announces what has happened, in the transaction that makes it so.
public struct Outbox: Sendable {
    private let time: TimeSource
    private let randomness: Randomness
    /// Signalled after every commit that appended.
    let appended = WakeUp()

    public init(time: TimeSource, randomness: Randomness) {
        self.time = time
        self.randomness = randomness
    }

    /// The tables of the outbox.
    public static let migrations = [OutboxOrder.migration]

    /// Announces `event` if and when `transaction` commits.
    ///
    /// It gets a random id, the current time, and the trace context in which this is called.
    ///
    /// - Throws: `StorageError`, or `EncodingError` when the event cannot be written as JSON.
    public func append(_ event: some Event, in transaction: Transaction) throws {
        let data = try JSON.text(event)
        try transaction.execute(
            """
            INSERT INTO outbox (id, source, type, subject, time, traceparent, data)
            VALUES (\(randomness.hex(bytes: 16)), \(type(of: event).source.rawValue), \(type(of: event).eventType), \(event.subject),
                    \(time.now), \(EventTracing.currentTraceparent()), \(data))
            """)
        transaction.afterCommit { [appended] in appended.signal() }
    }
}
