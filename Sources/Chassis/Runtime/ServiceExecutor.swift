/// Where the tasks of a service run.
///
/// A task executor (SE-0417) is passed on to child tasks, but not to tasks that are started for their own sake. This passes it on to them, too: so
/// that in production none leaves the event loop, and in the simulation none leaves its single thread.
public enum ServiceExecutor {
    @TaskLocal private static var current: (any TaskExecutor)?

    /// Runs `body`, and every task that it starts by ``task(_:)``, on `executor`.
    public static func run<Result: Sendable>(
        on executor: some TaskExecutor, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        try await $current.withValue(executor) {
            try await withTaskExecutorPreference(executor) { try await body() }
        }
    }

    /// A task of its own, with the task-locals of the one that starts it. Whoever starts it owns it.
    public static func task<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) -> Task<Result, Never> {
        Task(executorPreference: current) { await body() }
    }

    /// The same without task-locals: for work that is not only the starter's.
    public static func detachedTask<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) -> Task<Result, Never> {
        let executor = current
        return Task.detached(executorPreference: executor) { await $current.withValue(executor) { await body() } }
    }
}
