import Chassis
import ChassisStorage
import ServiceLifecycle

/// Reads an outbox the way a feed does: at once when there is something, else waiting for it.
struct FeedReader: Sendable {
    let database: Database
    let outbox: Outbox
    let time: TimeSource

    /// Events that one answer holds at most.
    static let largestLimit = 500
    /// How long one call may wait, at most.
    static let longestWait: Duration = .seconds(30)

    /// On Postgres another replica may have appended, whose commits signal nothing here: so the wait looks again this often.
    private var recheck: Duration { database.dialect == .postgres ? .milliseconds(250) : Self.longestWait }

    /// Events after `position`; empty when none came within `wait`, or when the service began to stop meanwhile.
    ///
    /// - Throws: ``FeedError``; `StorageError`.
    func read(after position: Int64, limit: Int, wait: Duration) async throws -> [CloudEvent] {
        let end = time.monotonic + min(wait, Self.longestWait)
        let appended = outbox.appended
        return try await withGracefulShutdownHandler {
            while true {
                let generation = appended.generation
                let page = try await OutboxPage.read(after: position, limit: limit, in: database)
                let remaining = end - time.monotonic
                if !page.events.isEmpty || remaining <= .zero || Task.isShuttingDownGracefully || Task.isCancelled { return page.events }
                await appended.wait(beyond: generation, atMost: min(remaining, recheck), time)
            }
        } onGracefulShutdown: {
            // Not a commit, but whoever waits must look: it finds that the service is stopping.
            appended.signal()
        }
    }
}
