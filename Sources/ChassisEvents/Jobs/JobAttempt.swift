import Chassis
import ChassisStorage
import Commerce
import Logging
import Metrics
import ServiceLifecycle

/// One attempt at one leased job: does it, and records how it ended.
struct JobAttempt: Sendable {
    let job: LeasedJob
    let handler: JobHandler
    let database: Database
    let time: TimeSource
    let randomness: Randomness
    let logger: Logger

    /// How the attempt ended, as it will be recorded.
    private enum Ending: Sendable {
        case outcome(JobOutcome)
        /// The job has failed.
        case failed(String)
        /// The attempt was broken off for a reason that is not the job's.
        case brokenOff(String, pause: Duration)
        /// Earlier attempts used up all there were, and none of them came to an end.
        case exhausted

        var label: String {
            switch self {
            case .outcome(.done): "done"
            case .outcome(.again): "again"
            case .outcome(.dead), .exhausted: "dead"
            case .failed: "failed"
            case .brokenOff: "broken off"
            }
        }

        /// Whether a handler's closure is part of the record, so that it may be the one that throws.
        var writesOfItsOwn: Bool {
            switch self {
            case .outcome(.done), .outcome(.dead): true
            default: false
            }
        }
    }

    /// Does the job. True when it is given back and due so soon that the worker should look at the table again.
    func run() async -> Bool {
        let start = time.monotonic
        let ending = job.attempt > handler.retry.maxAttempts ? Ending.exhausted : await perform()
        // What was done is worth recording even when the worker itself is being cancelled; a cancelled task may not begin a transaction.
        let due = Task.isCancelled ? await ServiceExecutor.task { await record(ending) }.value : await record(ending)
        let (seconds, attoseconds) = (time.monotonic - start).components
        Timer(label: "souk.job.duration", dimensions: [("kind", job.kind), ("outcome", ending.label)])
            .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        return due.map { $0 - time.now < .seconds(1) } ?? false
    }

    // MARK: Doing

    /// How long a job waits for another service that can do nothing for it, at most: many jobs may wait for the same.
    private static let neighbourPause: Duration = .seconds(30)

    private func perform() async -> Ending {
        // The handler's part of the lease; the rest is for the record. Not reckoned from the lease's end: the wall clock may be set meanwhile.
        let limit = handler.lease * 9 / 10
        let context = JobContext(
            id: job.id, attempt: job.attempt, isFirstRun: job.lease == 1, isLastAttempt: job.attempt >= handler.retry.maxAttempts,
            deadline: time.now + limit)
        do {
            guard let outcome = try await withLimit(limit, { try await handle(context, limit) }) else {
                return .failed("not done within \(limit)")
            }
            return .outcome(outcome)
        } catch  where Task.isCancelled {
            return .brokenOff("the service stopped", pause: .zero)
        } catch  where Failure.isStorageTrouble(error) {
            return .brokenOff(Failure.sentence(of: error), pause: RetryPolicy.endless.delay(afterAttempt: 4, randomness))
        } catch  where Failure.isNeighbourTrouble(error) {
            return .brokenOff(Failure.sentence(of: error), pause: randomness.duration(below: Self.neighbourPause))
        } catch {
            return .failed(Failure.sentence(of: error))
        }
    }

    private func handle(_ context: JobContext, _ limit: Duration) async throws -> JobOutcome {
        try await Deadline.$current.withValue(Deadline(after: limit, time: time)) {
            try await EventTracing.withSpan("job \(job.kind)", of: job.traceparent) {
                try await handler.perform(job.payload, context)
            }
        }
    }

    /// The result of `body`; nil when it took longer than `limit` and was cancelled for it.
    private func withLimit(_ limit: Duration, _ body: @escaping @Sendable () async throws -> JobOutcome) async throws -> JobOutcome? {
        try await withThrowingTaskGroup(of: JobOutcome?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await time.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    // MARK: Recording

    /// Thrown in a record's transaction when another worker has the job.
    private struct LeaseLost: Error {}

    /// Waits before the ending is tried to be recorded again; false when it is not to be.
    private func pause(_ delay: Duration) async -> Bool {
        guard Task.isShuttingDownGracefully else {
            try? await cancelWhenGracefulShutdown { try await time.sleep(for: delay) }
            return !Task.isCancelled
        }
        guard time.now + delay < job.leaseEnd else { return false }
        return (try? await time.sleep(for: delay)) != nil
    }

    /// Records the ending, repeating it while the database is in trouble and nobody else has taken the job. Returns when it is due again, if it is.
    ///
    /// The lease may end meanwhile: with a full disk no other worker can take the job either, and what was done is worth keeping. A service that
    /// stops tries at once, and then no longer than the lease.
    private func record(_ ending: Ending) async -> Timestamp? {
        var ending = ending
        var failures = 0
        while true {
            do {
                let due = try await database.write { [ending] in try write(ending, in: $0) }
                report(ending, due)
                return due
            } catch is LeaseLost {
                logger.warning("job was taken over by another worker", metadata: metadata)
                return nil
            } catch  where Failure.isStorageTrouble(error) {
                failures += 1
                let delay = RetryPolicy.endless.delay(afterAttempt: failures, randomness)
                guard await pause(delay) else {
                    logger.error("job's end cannot be recorded; it will be done again", metadata: metadata)
                    return nil
                }
            } catch  where ending.writesOfItsOwn {
                // The outcome's own writes were refused: then it has failed, and none of them remains.
                ending = .failed(Failure.sentence(of: error))
            } catch {
                logger.error("job's end cannot be recorded; it will be done again", metadata: metadata(with: "\(error)"))
                return nil
            }
        }
    }

    /// Writes the ending if the lease still stands. Returns when the job is due again, if it is.
    private func write(_ ending: Ending, in transaction: Transaction) throws -> Timestamp? {
        let now = time.now
        switch ending {
        case .outcome(.done(let effect)):
            let due = try finish(now: now, in: transaction)
            try effect(transaction)
            return due
        case .outcome(.again(let delay)):
            return try giveBack(attempts: job.attempt - 1, error: nil, after: delay, now: now, in: transaction)
        case .outcome(.dead(let reason, let effect)):
            try held(JobTable.bury(job, error: reason, now: now, in: transaction))
            try effect(transaction)
            return nil
        case .exhausted:
            try held(JobTable.bury(job, error: "no attempt came to an end: its workers died or were too slow", now: now, in: transaction))
            return nil
        case .brokenOff(let reason, let pause):
            return try giveBack(attempts: job.attempt - 1, error: reason, after: pause, now: now, in: transaction)
        case .failed(let reason):
            guard job.attempt < handler.retry.maxAttempts else {
                try held(JobTable.bury(job, error: reason, now: now, in: transaction))
                return nil
            }
            let delay = handler.retry.delay(afterAttempt: job.attempt, randomness)
            return try giveBack(attempts: job.attempt, error: reason, after: delay, now: now, in: transaction)
        }
    }

    private func finish(now: Timestamp, in transaction: Transaction) throws -> Timestamp? {
        switch handler.recurrence {
        case .once:
            try held(JobTable.remove(job, in: transaction))
            return nil
        case .every(let interval):
            return try giveBack(attempts: 0, error: nil, after: interval, now: now, in: transaction)
        }
    }

    private func giveBack(
        attempts: Int, error: String?, after delay: Duration, now: Timestamp, in transaction: Transaction
    ) throws -> Timestamp {
        try held(JobTable.giveBack(job, attempts: attempts, error: error, after: delay, now: now, in: transaction))
        return now + delay
    }

    private func held(_ isHeld: Bool) throws {
        guard isHeld else { throw LeaseLost() }
    }

    // MARK: What others see

    private func report(_ ending: Ending, _ due: Timestamp?) {
        switch ending {
        case .outcome(.done), .outcome(.again), .brokenOff: break
        case .failed(let reason) where due != nil: logger.warning("job failed", metadata: metadata(with: reason))
        case .failed(let reason), .outcome(.dead(let reason, _)): logger.error("job is dead", metadata: metadata(with: reason))
        case .exhausted: logger.error("job is dead", metadata: metadata(with: "no attempt came to an end"))
        }
    }

    private var metadata: Logger.Metadata { ["job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)"] }

    private func metadata(with error: String) -> Logger.Metadata { metadata.merging(["error": "\(error)"]) { $1 } }
}
