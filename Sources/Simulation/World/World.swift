import Chassis

/// What everything in a simulation shares: one thread, one clock, one source of chance and of faults, one trace.
struct World: Sendable {
    let executor: SimulationExecutor
    let clock: VirtualClock
    let generator: SeededGenerator
    let faults: Faults
    let trace: Trace
    /// What the services have asked their databases, when somebody wants to know.
    var statements: Statements?

    init(seed: UInt64) {
        let root = SeededGenerator(seed: seed)
        executor = SimulationExecutor(root.fork())
        clock = VirtualClock()
        generator = root.fork()
        faults = Faults(root.fork())
        trace = Trace(clock)
    }

    /// Starts something on the simulation's thread.
    @discardableResult
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: executor) { [executor] in
            // Nothing that it throws is of interest: it is about the task's own cancellation.
            try? await ServiceExecutor.run(on: executor) { await body() }
        }
    }

    /// Runs what is ready, then lets time pass, with all that happens meanwhile.
    func pass(_ duration: Duration) throws(NeverIdle) {
        let end = clock.now + duration
        repeat { try executor.runUntilIdle() } while clock.advance(notBeyond: end)
        try executor.runUntilIdle()
    }
}
