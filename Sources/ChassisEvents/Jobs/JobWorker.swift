import Chassis
import ChassisStorage
import Commerce
import Logging
import Metrics
import ServiceLifecycle

// The worker: how every job is done, whatever dies.
//
//     enqueue (waiting) ──lease──▶ leased ──done──▶ no row
//                          ▲          │
//                          └─backoff──┴──last failure, or "dead"──▶ dead ──replay──▶ waiting
//
// Lease. One transaction takes as many due jobs as there is room for, of all kinds. A lease is a number (`lease`, counted up each time the
// job is taken) and an end. Then the handlers run, side by side, up to each kind's limit, outside any transaction. What a handler wants
// to write it returns; the worker writes it in one transaction with the removal of the job. A job costs two row writes after its own
// insertion. The records of jobs that end together share commits, because SQLite's writes are group-committed.
//
// What a crash leaves.
// - Before the lease's commit: a waiting job.
// - After it, whatever the handler did meanwhile: a leased job. Nobody touches it until the lease ends; then any worker takes it again. The
//   attempt was counted by the lease itself, so that a job that kills its worker dies too in the end, and does not kill for ever.
// - Between the work and its record: the same, and the work is done a second time. Hence jobs are idempotent towards the world outside.
// - After the record: nothing. The job is gone and its effect is there, in one commit.
//
// Fencing. A worker that was slow, or whose machine slept, may find its lease over and the job in other hands. Its record asks for its
// own lease number; if that no longer stands, nothing of it is written. Two workers may do the work; one records it.
//
// Time. A handler is cancelled after nine tenths of its lease. One that ignores it keeps its place in this worker, not its job.
//
// Failure. A handler that throws has failed: backoff with full jitter, and death after the last attempt. If what failed is our own
// database, or another service that is down or says that it can do nothing now, or if the service is stopping, then the attempt is not the
// job's and is not counted: a disk that is full for an hour kills no job.
//
// Clocks. `due_at` is a moment of the wall clock, which can be set back under it: at the start, and whenever that has happened, the waits that the
// former clock began begin anew. So a wait lasts at most twice as long, and not until the former clock's moment comes again. A clock that
// is set forward makes jobs due early, at most once each.
//
// Waking. A commit that makes a job due now signals. Otherwise the worker sleeps until the next job is due, but no longer than a
// second, since another replica's commits signal nothing here; it then only reads, and writes when there is something to take.
//
// Stopping. A worker that is told to stop takes nothing more and finishes what it holds. What it cannot finish before it is killed is
// taken over after its lease.

/// Does a service's jobs until it is told to stop.
struct JobWorker: ServiceLifecycle.Service {
    let handlers: [String: JobHandler]
    let queue: JobQueue
    let database: Database
    let time: TimeSource
    let randomness: Randomness
    let logger: Logger
    let settings: EventsSettings
    /// Rows that are due and yet were not taken are just being taken by another replica: no reason to spin.
    private static let shortestPause: Duration = .milliseconds(2)
    /// By how much the wall clock must be set back to matter.
    private static let leastJump: Duration = .milliseconds(100)
    private let slots: JobSlots
    private let stopping = StopFlag()

    /// - Precondition: the handlers are for different kinds.
    init(
        _ handlers: [JobHandler], queue: JobQueue, database: Database, time: TimeSource, randomness: Randomness, logger: Logger,
        settings: EventsSettings
    ) {
        self.handlers = Dictionary(handlers.map { ($0.kind, $0) }) { first, _ in preconditionFailure("two handlers for \(first.kind)") }
        self.queue = queue
        self.database = database
        self.time = time
        self.randomness = randomness
        self.logger = logger
        self.settings = settings
        slots = JobSlots(handlers)
    }

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                await establishRecurring()
                await take(into: &group)
            }
        } onCancelOrGracefulShutdown: {
            stopping.set()
            queue.enqueued.signal()
        }
    }

    // MARK: Taking

    /// Leases jobs and starts them, until the worker is to stop.
    private func take(into group: inout DiscardingTaskGroup) async {
        var failures = 0
        var isSignalled = true
        let clock = ClockWatch(time)
        var wasSetBack = true
        while !stopping.isSet {
            let generation = queue.enqueued.generation
            var pause = settings.jobPollInterval
            do {
                wasSetBack = clock.jump() < .zero - Self.leastJump || wasSetBack
                if wasSetBack { try await restartWaits() }
                wasSetBack = false
                let round = try await lease(assumingWork: isSignalled)
                failures = 0
                for job in round.jobs { start(job, in: &group) }
                if let nextDue = round.nextDue { pause = min(pause, max(Self.shortestPause, nextDue - time.now)) }
            } catch {
                failures += 1
                pause = RetryPolicy.endless.delay(afterAttempt: failures, randomness)
                if failures & (failures - 1) == 0 { logger.warning("jobs cannot be taken", metadata: ["error": "\(error)"]) }
            }
            if !stopping.isSet { await queue.enqueued.wait(beyond: generation, atMost: pause, time) }
            isSignalled = queue.enqueued.generation != generation
        }
    }

    private func restartWaits() async throws {
        let count = try await database.write { [time] in try JobTable.restartWaits(now: time.now, in: $0) }
        if count > 0 { logger.notice("the clock was set back: jobs wait anew", metadata: ["jobs": "\(count)"]) }
    }

    /// What one look at the table gave.
    private struct Round: Sendable {
        var jobs: [LeasedJob] = []
        /// When to look again at the latest, of kinds that have room; nil when nothing waits.
        var nextDue: Timestamp?
    }

    /// Takes what is due and there is room for.
    ///
    /// - Parameter assumingWork: false after a mere pause; then it is read first whether there is anything, so that an idle service writes nothing.
    private func lease(assumingWork: Bool) async throws -> Round {
        let free = slots.free
        guard !free.isEmpty else { return Round() }
        if !assumingWork {
            let nextDue = try await database.read { transaction in
                try free.keys.compactMap { try JobTable.nextDue(kind: $0, in: transaction) }.min()
            }
            guard let nextDue, nextDue <= time.now else { return Round(nextDue: nextDue) }
        }
        let leases = handlers.mapValues(\.lease)
        let round = try await database.write { [time] transaction in
            try Self.lease(free, leases: leases, now: time.now, in: transaction)
        }
        let taken = Dictionary(grouping: round.jobs, by: \.kind).mapValues(\.count)
        for (kind, places) in free { slots.begin(kind, taken: taken[kind] ?? 0, of: places) }
        return round
    }

    private static func lease(
        _ free: [String: Int], leases: [String: Duration], now: Timestamp, in transaction: Transaction
    ) throws -> Round {
        var round = Round()
        for (kind, places) in free.sorted(by: { $0.key < $1.key }) {
            guard let lease = leases[kind] else { continue }
            let jobs = try JobTable.lease(kind: kind, limit: places, now: now, until: now + lease, in: transaction)
            round.jobs += jobs
            // A kind that filled its places is looked at again when some are free.
            guard jobs.count < places, let nextDue = try JobTable.nextDue(kind: kind, in: transaction) else { continue }
            round.nextDue = min(round.nextDue ?? nextDue, nextDue)
        }
        return round
    }

    private func establishRecurring() async {
        let recurring = handlers.values.sorted { $0.kind < $1.kind }.compactMap { handler -> (kind: String, interval: Duration)? in
            guard case .every(let interval) = handler.recurrence else { return nil }
            return (handler.kind, interval)
        }
        var failures = 0
        while !stopping.isSet {
            do {
                let unknown = try await database.write { [time, handlers] transaction in
                    for job in recurring {
                        try JobTable.establish(recurring: job.kind, interval: job.interval, now: time.now, in: transaction)
                    }
                    return try JobTable.kinds(in: transaction).filter { handlers[$0] == nil }
                }
                for kind in unknown { logger.warning("jobs wait that nobody here does", metadata: ["kind": "\(kind)"]) }
                return
            } catch {
                failures += 1
                logger.warning("recurring jobs cannot be set up", metadata: ["error": "\(error)"])
                let delay = RetryPolicy.endless.delay(afterAttempt: failures, randomness)
                await queue.enqueued.wait(beyond: queue.enqueued.generation, atMost: delay, time)
            }
        }
    }

    // MARK: Doing

    private func start(_ job: LeasedJob, in group: inout DiscardingTaskGroup) {
        // Only kinds with a handler are leased.
        guard let handler = handlers[job.kind] else { return }
        let attempt = JobAttempt(job: job, handler: handler, database: database, time: time, randomness: randomness, logger: logger)
        group.addTask {
            let isDueAgain = await attempt.run()
            let hasRoom = slots.end(job.kind)
            if hasRoom || isDueAgain { queue.enqueued.signal() }
        }
    }
}
