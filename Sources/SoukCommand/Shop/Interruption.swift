import UnixSignals

/// What Ctrl-C does to a command that has something to put in order first.
enum Interruption {
    /// Runs `body` until it ends; SIGINT and SIGTERM cancel it, and it gets the time that it needs to end.
    ///
    /// - Parameter notice: what the person who interrupts reads.
    /// - Returns: nil when it was interrupted.
    /// - Throws: what `body` throws, also while it ends.
    static func wait<Result: Sendable>(
        for body: @escaping @Sendable () async throws -> Result, notice: String
    ) async throws -> Result? {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals {
                    Console.print(notice)
                    return nil
                }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
            return first
        }
    }
}
