import Chassis
import Commerce
import Synchronization

/// Time that stands still until a test moves it.
final class ManualTime: Sendable {
    private struct State {
        var elapsed: Duration = .zero
        var sleepers: [Int: (until: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var nextSleeper = 0
        /// Those who wait until somebody sleeps.
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)
    private let state = Mutex(State())

    var source: TimeSource {
        TimeSource(
            now: { Self.start + self.elapsed }, monotonic: { self.elapsed }, sleep: { try await self.sleep(for: $0) })
    }

    var elapsed: Duration { state.withLock { $0.elapsed } }

    /// Moves time, and wakes those who have slept long enough.
    func advance(by duration: Duration) {
        let awake = state.withLock { state in
            state.elapsed += duration
            let due = state.sleepers.filter { $0.value.until <= state.elapsed }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.map(\.continuation)
        }
        for sleeper in awake { sleeper.resume() }
    }

    /// Returns once so many sleep at the same time.
    func sleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isSo { continuation.resume() }
        }
    }

    private func sleep(for duration: Duration) async throws {
        let id = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let (result, watchers) = state.withLock { state -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) in
                    if Task.isCancelled { return (.failure(CancellationError()), []) }
                    if duration <= .zero { return (.success(()), []) }
                    state.sleepers[id] = (state.elapsed + duration, continuation)
                    let satisfied = state.watchers.filter { $0.count <= state.sleepers.count }
                    state.watchers.removeAll { $0.count <= state.sleepers.count }
                    return (nil, satisfied.map(\.continuation))
                }
                if let result { continuation.resume(with: result) }
                for watcher in watchers { watcher.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }
}
