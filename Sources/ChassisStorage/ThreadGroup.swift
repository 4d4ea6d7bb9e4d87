import Foundation
import Synchronization

/// A driver's threads, and a way to wait for their end without blocking.
final class ThreadGroup: Sendable {
    private struct State {
        var running = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Room for SQLite and a service's closures; untouched pages cost nothing.
    private static let stackBytes = 1 << 20

    private let state = Mutex(State())

    /// Runs `body` on a thread of its own.
    func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.running += 1 }
        let thread = Thread { [self] in
            // Only the thread itself can set the name that the system shows.
            Thread.current.name = name
            body()
            finished()
        }
        thread.stackSize = Self.stackBytes
        thread.start()
    }

    /// Returns once no thread of the group runs.
    func ended() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.running > 0 { state.waiters.append(continuation) }
                return state.running == 0
            }
            if isIdle { continuation.resume() }
        }
    }

    private func finished() {
        let waiters = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
