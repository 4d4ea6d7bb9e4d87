// Group commit: many callers' transactions under one fsync.
//
// A durable SQLite commit is one fsync of the write-ahead log, 0.1 to 10 ms during which the thread only waits. SQLite
// has one writer at a time, so with one transaction per caller the disk's fsyncs per second bound the writes per second. Callers that
// wait at the same moment can share an fsync instead:
//
//     BEGIN IMMEDIATE
//       closure A                        (no savepoint: it is alone so far)
//       SAVEPOINT  closure B  RELEASE
//       SAVEPOINT  closure C  ROLLBACK TO, RELEASE     (C threw)
//     COMMIT                             one fsync
//     actions after commit of A, B; then A, B and C resume
//
// **Who shares.** No timer makes anyone wait for company. While a COMMIT sleeps in its fsync, new closures queue up; the next batch takes
// them all. Before it commits, a batch looks at the queue once more and takes those who came while it ran. One lonely caller thus
// pays for its own commit and nothing else, and sixty-four callers pay for a few.
//
// **Why savepoints.** Each caller was promised a transaction of its own: its failure undoes its work and nobody else's. A savepoint is
// that. A closure that begins on an empty batch needs none, for ROLLBACK of the batch undoes the same; so a single
// closure costs BEGIN and COMMIT only. What a savepoint cannot isolate is checked where it would otherwise leak: a deferred
// foreign key fails at COMMIT, when it is too late to tell whose it was, so the count of open violations is read after each
// closure, and the one that left some is rolled back and told so. Isolation from each other needs no more: closures run one
// after another, so the batch is a serial order of its transactions.
//
// **When callers hear.** After COMMIT returned and the file was found under its name, and not before, whatever their outcome. Even a
// closure that threw waits: it may have thrown because of what an earlier closure of the same batch wrote ("this email is taken"),
// which would be a lie if that were never committed.
//
// **When it goes wrong.** If BEGIN fails (busy: another process has the write lock), nothing ran and every taken closure gets that
// error. If a statement's error makes SQLite roll the whole transaction back (disk full, I/O error), or if COMMIT fails, every closure
// that ran in the batch gets that error, nobody is told of success, no action after commit runs, and those not yet run go into the next
// batch. Nothing is tried again here: only the caller knows whether it wants that. The connection is ready for the next batch at
// once when the cause can pass by itself (space, a lock); after an I/O error it is closed and the next batch opens a new one, so that a mended
// disk works without a restart. A failed fsync is never taken for done (`SQLiteSession.settleLog`). After damage, or when the file was
// replaced under the running service, everybody is refused until the file is in order (`DatabaseCondition`).
//
// **What a crash leaves.** The log is a sequence of whole commits: recovery keeps every batch whose commit record reached the disk and
// nothing of the others. A crash before COMMIT returned may leave a whole batch committed whose callers never heard (as with any
// database), never a part of it, and never loses one whose callers did hear. The same doubt follows an I/O error in COMMIT itself:
// the record may have reached the disk. Hence "not known to have happened" in `Database.write`, and idempotency keys above.
//
// **Bounds.** The queue is first-in, first-out and holds a fixed number of closures; beyond it callers are refused at once instead
// of waiting without end. A batch is bounded in closures and in time, so the first of a batch waits a bounded time for the last. A
// cancelled caller's closure is left out when its turn comes before it began; once begun it counts.

import Logging

/// The thread that writes. See the essay above.
final class GroupCommit {
    private let queue: WorkQueue<PendingWork>
    private let session: SQLiteSession
    private let limits: GroupCommitLimits
    private let metrics = StorageMetrics()
    private let clock = ContinuousClock()

    /// Taken from the queue but not run: left over from a batch that ended early. They go first.
    private var taken: ArraySlice<PendingWork> = []

    init(queue: WorkQueue<PendingWork>, session: SQLiteSession, limits: GroupCommitLimits) {
        self.queue = queue
        self.session = session
        self.limits = limits
    }

    /// Serves the queue until it is closed and drained.
    func serve() {
        serve { queue.take(atMost: limits.maximumBatch) }
    }

    /// Serves what is in the queue now.
    func serveWaiting() {
        serve { queue.takeNow(atMost: limits.maximumBatch) }
    }

    private func serve(_ take: () -> [PendingWork]) {
        while true {
            if taken.isEmpty { taken = take()[...] }
            guard let first = taken.first else { return }
            if first.isRead {
                taken.removeFirst()
                session.read(first)
            } else {
                commitBatch()
            }
        }
    }

    /// Runs one batch and tells everyone in it. `taken` is not empty and keeps what did not fit.
    private func commitBatch() {
        var batch = Batch()
        do throws(StorageError) {
            try session.use { (connection) throws(StorageError) in
                try runClosures(&batch, on: connection)
                guard batch.isOpen else { return }
                let start = clock.now
                try connection.commit()
                try session.confirmFiles()
                metrics.committed(closures: batch.members.count, in: clock.now - start, waiting: queue.count)
            }
            session.ended(.writing, spoilt: batch.spoilt)
            for work in batch.members { work.runCommitActions() }
            for work in batch.members { work.finish(nil) }
        } catch {
            metrics.commitFailed()
            session.failed(error, .writing)
            for work in batch.members { work.finish(error) }
            // Without a transaction nothing of what waits can run either. Trying again for each of them would make a queue of
            // timeouts where a lock was not to be had.
            if batch.members.isEmpty { refuseTaken(error) }
        }
    }

    /// Runs what is taken, and what comes meanwhile, until the queue is empty or the batch is full.
    private func runClosures(_ batch: inout Batch, on connection: SQLiteConnection) throws(StorageError) {
        let deadline = clock.now + .milliseconds(limits.maximumBatchMilliseconds)
        repeat {
            while let work = taken.first, !work.isRead {
                if !batch.members.isEmpty && (batch.members.count >= limits.maximumBatch || clock.now >= deadline) { return }
                if work.isCancelled {
                    taken.removeFirst()
                    work.finish(CancellationError())
                    continue
                }
                if !batch.isOpen {
                    try connection.begin(.writing)
                    batch.isOpen = true
                }
                taken.removeFirst()
                batch.members.append(work)
                try runClosure(work, in: &batch, on: connection)
            }
            guard taken.isEmpty, batch.members.count < limits.maximumBatch else { return }
            taken = queue.takeNow(atMost: limits.maximumBatch - batch.members.count)[...]
        } while !taken.isEmpty
    }

    /// Runs one closure so that only its own work is undone if it throws.
    ///
    /// - Throws: when the whole batch is lost.
    private func runClosure(_ work: PendingWork, in batch: inout Batch, on connection: SQLiteConnection) throws(StorageError) {
        let isAlone = !batch.hasChanges
        if !isAlone { try connection.beginSavepoint() }
        let transaction = Transaction(connection, dialect: .sqlite)
        var succeeded = work.run(in: transaction)
        batch.spoilt = transaction.spoilt ?? batch.spoilt
        guard connection.isInTransaction else { throw transaction.failure ?? .unavailable }
        if succeeded && connection.hasDeferredViolation {
            work.fail(StorageError.foreignKeyViolation)
            succeeded = false
        }
        switch (succeeded, isAlone) {
        case (true, true): batch.hasChanges = true
        case (true, false): try connection.releaseSavepoint()
        case (false, true):
            try connection.rollBack()
            batch.isOpen = false
        case (false, false): try connection.rollBackSavepoint()
        }
    }

    private func refuseTaken(_ error: StorageError) {
        for work in taken { work.finish(error) }
        taken = []
    }
}

/// The closures that share a commit.
private struct Batch {
    /// Everyone who ran, in order, whether it threw or not: all hear after the commit.
    var members: [PendingWork] = []
    /// Whether a transaction is open.
    var isOpen = false
    /// Whether a closure has succeeded, so that the next one needs a savepoint.
    var hasChanges = false
    /// A statement's failure that asks for a new connection once the batch is done.
    var spoilt: StorageError?
}
