import Synchronization

/// The keys that requests of this process are working on, each with a queue of the others that wait for their turn.
///
/// A turn is passed on, not broadcast: when the holder is done the longest waiting becomes the holder. So a crowd on one key looks at the
/// table one after another and never all at once.
final class KeysInProgress: Sendable {
    struct ID: Hashable, Sendable {
        let scope: String
        let key: String
    }

    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var nextNumber: UInt64 = 0
        /// A key that is here is held. Its waiters are in the order they came.
        var queues: [ID: [Waiter]] = [:]
    }

    private let state = Mutex(State())

    /// Takes the turn if nobody has it. True: the caller holds the key and must release it.
    func acquireAtOnce(_ id: ID) -> Bool {
        state.withLock { state in
            guard state.queues[id] == nil else { return false }
            state.queues[id] = []
            return true
        }
    }

    /// Waits for the turn. False when the task was cancelled first; else the caller holds the key and must release it.
    func acquire(_ id: ID) async -> Bool {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in enqueue(Waiter(number: number, continuation: continuation), id) }
        } onCancel: {
            remove(number, id)?.continuation.resume(returning: false)
        }
    }

    /// Passes the turn on.
    func release(_ id: ID) {
        let next = state.withLock { state -> Waiter? in
            guard var queue = state.queues[id], !queue.isEmpty else {
                state.queues[id] = nil
                return nil
            }
            let next = queue.removeFirst()
            state.queues[id] = queue
            return next
        }
        next?.continuation.resume(returning: true)
    }

    private func enqueue(_ waiter: Waiter, _ id: ID) {
        // The key may have become free meanwhile, and the task may have been cancelled before there was anything to cancel.
        let answer: Bool? = state.withLock { state in
            if Task.isCancelled { return false }
            guard state.queues[id] != nil else {
                state.queues[id] = []
                return true
            }
            state.queues[id]?.append(waiter)
            return nil
        }
        if let answer { waiter.continuation.resume(returning: answer) }
    }

    private func remove(_ number: UInt64, _ id: ID) -> Waiter? {
        state.withLock { state in
            guard let index = state.queues[id]?.firstIndex(where: { $0.number == number }) else { return nil }
            return state.queues[id]?.remove(at: index)
        }
    }
}
