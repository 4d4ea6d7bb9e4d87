import Chassis
import ChassisStorage
import Commerce
import Contracts

/// Applies events in the transaction that moves the consumer's position: the step that makes each event take effect exactly once.
struct EventBatch: Sendable {
    let consumer: Consumer
    /// The position that the source was asked for: the events are all that follow it.
    let readAfter: Int64
    /// As the source gave them: possibly again, possibly in another order.
    let events: [CloudEvent]
    let retry: RetryPolicy
    let now: Timestamp
    let randomness: Randomness

    /// What became of a batch.
    struct Outcome: Sendable {
        var position: ConsumerPosition
        var applied = 0
        var skipped = 0
        var failures: [FailedAttempt] = []
        /// When the event happened at which the consumer now stands; nil when it came through the whole batch.
        var heldEventTime: Timestamp?
    }

    /// One event that could not be applied this time.
    struct FailedAttempt: Sendable {
        let type: String
        let sequence: Int64
        let attempt: Int
        let isParked: Bool
        let error: String
    }

    /// - Throws: `StorageError` when the database is in trouble: then nothing of the batch happened and no attempt is counted.
    func apply(in transaction: Transaction) throws -> Outcome {
        guard let position = try ConsumerPosition.locked(for: consumer.source, in: transaction) else {
            throw StorageError.misuse("the consumer of \(consumer.source.rawValue) has no position")
        }
        var outcome = Outcome(position: position)
        // A person has moved the consumer back since: what lies between was not read, so none of this may be applied yet.
        guard position.sequence >= readAfter else { return outcome }
        for event in events.sorted(by: { $0.sequence < $1.sequence }) where event.sequence > outcome.position.sequence {
            guard try apply(event, &outcome, transaction) else {
                outcome.heldEventTime = event.time
                break
            }
        }
        try outcome.position.write(for: consumer.source, in: transaction)
        return outcome
    }

    /// Applies, skips or parks one event and moves on; false when the position must stay before it.
    private func apply(_ event: CloudEvent, _ outcome: inout Outcome, _ transaction: Transaction) throws -> Bool {
        guard let handler = consumer.handler(for: event.type) else {
            outcome.skipped += 1
            outcome.position = ConsumerPosition(sequence: event.sequence)
            return true
        }
        let held = outcome.position.held.flatMap { $0.sequence == event.sequence ? $0 : nil }
        // A retry further away than any delay was set by a clock that has since been set back.
        if let held, held.retryAt > now, held.retryAt <= now + retry.cap { return false }
        do {
            try transaction.savepoint { try handler.apply(event, transaction) }
            outcome.applied += 1
            outcome.position = ConsumerPosition(sequence: event.sequence)
            return true
        } catch  where Failure.isStorageTrouble(error) || error is CancellationError {
            throw error
        } catch {
            return try fail(event, error, attempt: (held?.attempts ?? 0) + 1, &outcome, transaction)
        }
    }

    /// Counts a failed attempt: holds the event for another one, or parks it after the last.
    private func fail(
        _ event: CloudEvent, _ error: any Error, attempt: Int, _ outcome: inout Outcome, _ transaction: Transaction
    ) throws -> Bool {
        let isParked = attempt >= retry.maxAttempts
        let sentence = Failure.sentence(of: error)
        outcome.failures.append(
            FailedAttempt(type: event.type, sequence: event.sequence, attempt: attempt, isParked: isParked, error: sentence))
        guard isParked else {
            outcome.position.held = ConsumerPosition.HeldEvent(
                sequence: event.sequence, attempts: attempt, retryAt: now + retry.delay(afterAttempt: attempt, randomness))
            return false
        }
        try DeadEvents.park(event, error: sentence, attempts: attempt, now: now, in: transaction)
        outcome.position = ConsumerPosition(sequence: event.sequence)
        return true
    }
}
