public import Commerce
import Foundation

/// Where a service gets the time and how it waits: real in production, virtual in tests and in the simulation.
///
/// Everything that stores a moment, compares one or sleeps takes a `TimeSource`; nothing else in Souk reads a clock.
public struct TimeSource: Sendable {
    private let readNow: @Sendable () -> Timestamp
    private let readMonotonic: @Sendable () -> Duration
    private let suspend: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - now: the wall clock, which may be set back.
    ///   - monotonic: time since some fixed moment, which never goes back.
    ///   - sleep: waits at least the duration, or throws `CancellationError` at once when its task is cancelled.
    public init(
        now: @escaping @Sendable () -> Timestamp,
        monotonic: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.readNow = now
        self.readMonotonic = monotonic
        self.suspend = sleep
    }

    /// The wall clock: for what is stored and shown.
    public var now: Timestamp { readNow() }

    /// Time since some fixed moment: for measuring and for deadlines.
    public var monotonic: Duration { readMonotonic() }

    public func sleep(for duration: Duration) async throws {
        try await suspend(duration)
    }

    /// The machine's clocks.
    public static let system: TimeSource = {
        let start = ContinuousClock.now
        return TimeSource(
            now: { Timestamp(Date()) },
            monotonic: { ContinuousClock.now - start },
            sleep: { try await Task.sleep(for: $0) }
        )
    }()
}
