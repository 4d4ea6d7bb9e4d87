import Chassis
import ChassisStorage
import Commerce
import Contracts
import Logging
import Metrics
import ServiceLifecycle

// The consumer: how every event of a producer takes effect exactly once.
//
// The loop. It asks the source for events after its position, applies what comes, and asks again. The position is a row in the consumer's
// own database, moved in the same transaction that holds the effects of the events. That one commit is the whole trick: delivery may be
// repeated, and effects may not, because the second delivery finds the position moved.
//
//     source ── events after 41 ──▶ [ transaction: 42 ▸ savepoint, 43 ▸ savepoint, position := 43 ] ── after 43 ──▶ source
//
// What a crash leaves.
// - Before the commit: nothing of the batch. The events are read again and applied.
// - After the commit, before the next read: the position is 43. The events are not asked for again; should they come nevertheless, they
//   are at or below the position and are passed over.
// - The same holds for the commit whose answer was lost, and for two replicas reading the same events on Postgres: the position is
//   locked and read inside the transaction, not remembered from before.
//
// Order. A batch is sorted and applied in sequence. An event whose handler throws is rolled back alone, to its savepoint; those before it
// stay applied. Its failed attempt is written into the position's row, so that a restart does not begin to count anew, and the position
// *stays before it*: later events may depend on it. After a backoff it is tried again. When its last attempt fails it is parked as a dead
// letter, with its error, in the same transaction that moves on. One poisoned event thus delays its successors by seconds, never for ever.
//
// Blame. An error of the database (busy, full, gone) is nobody's attempt: the whole batch rolls back and is repeated after a backoff.
// Neither is a source that does not answer. Both are endless, with full jitter, so that consumers that lost one producer together do
// not return together.
//
// Dead stop. A source that says that events are gone, or that it never had those up to our position (`FeedError`), cannot be helped by
// going on: that would be silent loss. The loop says so in log and status, and looks again each minute, at the position then in the
// table: a person who moves it, or restores the producer, needs no restart.
//
// Pace. After a batch that emptied the feed the loop pauses briefly, so that under load events come in batches, not one by one.

/// The loop that consumes one producer's events.
struct Consumption: ServiceLifecycle.Service {
    let consumer: Consumer
    let source: EventSource
    let database: Database
    let time: TimeSource
    let randomness: Randomness
    let logger: Logger
    let settings: EventsSettings
    let progress: ConsumerProgress

    /// Consumes until the service stops. What was under way then is committed or is not; both are right.
    func run() async throws {
        // A task of its own, because being told to stop is to end even a wait of half a minute at the producer.
        let consuming = ServiceExecutor.task { await consumeUntilCancelled() }
        let failure = await withTaskCancellationOrGracefulShutdownHandler {
            await consuming.value
        } onCancelOrGracefulShutdown: {
            consuming.cancel()
        }
        if let failure { throw failure }
    }

    /// Returns what else has ended it: nothing should.
    private func consumeUntilCancelled() async -> (any Error)? {
        do {
            try await consume()
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            return error
        }
    }

    private func consume() async throws {
        var failures = 0
        while true {
            try Task.checkCancellation()
            do {
                let pause = try await step()
                failures = 0
                try await time.sleep(for: pause)
            } catch let error as FeedError {
                progress.stopped(error.description, now: time.now)
                logger.critical("consumer stopped: a person must decide", metadata: metadata(error: error))
                try await time.sleep(for: settings.deadStopInterval)
            } catch {
                try Task.checkCancellation()
                failures += 1
                progress.lostContact(now: time.now)
                let delay = RetryPolicy.endless.delay(afterAttempt: failures, randomness)
                // The first of a row, then ever more rarely: a producer that is down for an hour is no news each second.
                if failures & (failures - 1) == 0 { logger.warning("events cannot be consumed", metadata: metadata(error: error)) }
                try await time.sleep(for: delay)
            }
        }
    }

    /// Reads one batch and applies it. Returns how long to wait before the next.
    private func step() async throws -> Duration {
        let position = try await position()
        let events = try await source.read(position.sequence, settings.consumerBatch, settings.consumerWait)
        if let stranger = events.first(where: { $0.source != consumer.source.rawValue }) {
            throw ForeignEvent(expected: consumer.source, found: stranger.source)
        }
        guard let first = events.first else {
            progress.caughtUp(at: position.sequence)
            return settings.consumerPace
        }
        progress.behind(since: first.time, at: position.sequence)
        let outcome = try await apply(events, readAfter: position.sequence)
        report(outcome)
        return pause(after: outcome, isFull: events.count >= settings.consumerBatch, lastTime: events.last?.time ?? first.time)
    }

    private func position() async throws -> ConsumerPosition {
        if let position = try await database.read({ [consumer] in try ConsumerPosition.current(for: consumer.source, in: $0) }) {
            return position
        }
        try await database.write { [consumer] in try ConsumerPosition.establish(for: consumer.source, in: $0) }
        return ConsumerPosition(sequence: 0)
    }

    private func apply(_ events: [CloudEvent], readAfter position: Int64) async throws -> EventBatch.Outcome {
        let batch = EventBatch(
            consumer: consumer, readAfter: position, events: events, retry: settings.eventRetry, now: time.now, randomness: randomness)
        return try await database.write { try batch.apply(in: $0) }
    }

    private func pause(after outcome: EventBatch.Outcome, isFull: Bool, lastTime: Timestamp) -> Duration {
        let position = outcome.position.sequence
        if let held = outcome.position.held, let heldTime = outcome.heldEventTime {
            progress.behind(since: heldTime, at: position)
            // Never longer than any delay, should the clock have been set back in this moment.
            return max(min(held.retryAt - time.now, settings.eventRetry.cap), settings.consumerPace)
        }
        guard isFull else {
            progress.caughtUp(at: position)
            return settings.consumerPace
        }
        progress.behind(since: lastTime, at: position)
        return .zero
    }

    // MARK: What others see

    private func report(_ outcome: EventBatch.Outcome) {
        let dimensions = [("source", consumer.source.rawValue)]
        Counter(label: "souk.events.consumed", dimensions: dimensions + [("outcome", "applied")]).increment(by: outcome.applied)
        Counter(label: "souk.events.consumed", dimensions: dimensions + [("outcome", "skipped")]).increment(by: outcome.skipped)
        for failure in outcome.failures {
            let kind = failure.isParked ? "parked" : "failed"
            Counter(label: "souk.events.consumed", dimensions: dimensions + [("outcome", kind)]).increment()
            logger.log(
                level: failure.isParked ? .error : .warning, failure.isParked ? "event parked as a dead letter" : "event failed",
                metadata: [
                    "source": "\(consumer.source.rawValue)", "event_type": "\(failure.type)", "sequence": "\(failure.sequence)",
                    "attempt": "\(failure.attempt)", "error": "\(failure.error)",
                ])
        }
    }

    private func metadata(error: any Error) -> Logger.Metadata {
        ["source": "\(consumer.source.rawValue)", "error": "\(error)"]
    }
}

/// A feed gave an event of another service: the address is wrong.
struct ForeignEvent: Error, CustomStringConvertible {
    let expected: ServiceName
    let found: String
    var description: String { "the feed of \(expected.rawValue) holds an event of \(found)" }
}
