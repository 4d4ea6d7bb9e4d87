import Synchronization

/// Runs every task of a simulation on one thread, one job at a time, in an order drawn from the seed.
///
/// Between two suspension points a task runs undisturbed; which of those that could go on does so is chosen anew each time. That makes the races of
/// a real system happen, the rare ones too, and the same ones for the same seed.
final class SimulationExecutor: TaskExecutor {
    private let ready = Mutex<[UnownedJob]>([])
    private let generator: SeededGenerator

    init(_ generator: SeededGenerator) {
        self.generator = generator
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        ready.withLock { $0.append(job) }
    }

    /// Runs jobs until none is ready.
    ///
    /// - Throws: ``NeverIdle`` when there is no end to them.
    func runUntilIdle() throws(NeverIdle) {
        for _ in 0..<Self.mostJobs {
            guard let job = takeOne() else { return }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
        throw NeverIdle()
    }

    /// Jobs between two moments, at most: beyond them something spins.
    private static let mostJobs = 2_000_000

    private func takeOne() -> UnownedJob? {
        ready.withLock { ready in
            guard !ready.isEmpty else { return nil }
            ready.swapAt(generator.int(in: 0...ready.count - 1), ready.count - 1)
            return ready.removeLast()
        }
    }
}

/// Tasks keep each other busy without time going on.
struct NeverIdle: Error, CustomStringConvertible {
    var description: String { "the tasks of the shop never come to rest" }
}
