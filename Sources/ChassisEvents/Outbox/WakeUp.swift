import Chassis
import Synchronization

/// Tells tasks that wait for something to look again.
///
/// A signal between looking and waiting is not lost: read ``generation``, look, then wait for a later generation.
final class WakeUp: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// How many signals there have been.
    var generation: UInt64 { state.withLock { $0.generation } }

    /// Wakes all that wait, in the order in which they came. Never blocks, so that a database's thread may call it.
    func signal() {
        let waiters = state.withLock { state in
            state.generation += 1
            defer { state.waiters = [:] }
            return state.waiters.sorted { $0.key < $1.key }.map(\.value)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once there has been a signal beyond `generation`, or the task is cancelled.
    func wait(beyond generation: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // Looked at under the lock that cancellation takes too: whichever comes first, the waiter is resumed once.
                    if state.generation > generation || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// As ``wait(beyond:)``, and returns also when `limit` has passed.
    func wait(beyond generation: UInt64, atMost limit: Duration, _ time: TimeSource) async {
        guard limit > .zero else { return }
        await withTaskGroup { group in
            group.addTask { await self.wait(beyond: generation) }
            group.addTask { try? await time.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
