import Chassis
import Commerce
import Synchronization

/// A clock that a test moves.
final class VirtualTime: Sendable {
    private struct Sleeper {
        let wake: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var elapsed: Duration = .zero
        /// How far the wall clock was set.
        var offset: Duration = .zero
        var nextSleeper = 0
        var sleepers: [Int: Sleeper] = [:]
    }

    static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)

    private let state = Mutex(State())

    var source: TimeSource {
        TimeSource(
            now: { Self.start + self.state.withLock { $0.elapsed + $0.offset } },
            monotonic: { self.state.withLock(\.elapsed) },
            sleep: { try await self.sleep(for: $0) })
    }

    var now: Timestamp { source.now }
    var elapsed: Duration { state.withLock(\.elapsed) }

    /// Sets the wall clock, and nothing else.
    func set(by offset: Duration) { state.withLock { $0.offset += offset } }

    /// Moves the clock and wakes whoever slept until then.
    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.elapsed += duration
            let due = state.sleepers.filter { $0.value.wake <= state.elapsed }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.wake < $1.wake }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    private func sleep(for duration: Duration) async throws {
        let id = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if duration <= .zero { return .success(()) }
                    state.sleepers[id] = Sleeper(wake: state.elapsed + duration, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }
}

struct NeverHappened: Error {}

/// Looks again and again, letting others run in between, until `condition` holds.
func eventually(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<200_000 {
        if try await condition() { return }
        await Task.yield()
    }
    throw NeverHappened()
}
