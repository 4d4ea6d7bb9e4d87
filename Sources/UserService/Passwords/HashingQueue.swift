import Dispatch
import Synchronization

// Where passwords are hashed.
//
// A hash takes a core for a quarter of a second and 32 MiB. On an event loop or on Swift's cooperative threads it would stop everything
// else; without a bound, a burst of logins would take all memory and make every login late. So:
//
// - the work runs on threads of its own, `width` at once at most (one a core), taken from the front of one queue;
// - at most `capacity` wait. One more is refused at once, which the client reads as 503 with Retry-After: an early no is better than an
//   answer after everybody has given up;
// - who has given up while waiting (a cancelled task) costs nothing: the work is dropped when its turn comes.
//
// A slot is handed from one piece of work to the next under the lock, so that newcomers cannot overtake those who wait, and the number at
// work never exceeds `width`.

/// A bounded queue of blocking work on threads of its own.
final class HashingQueue: Sendable {
    /// The queue is full.
    struct Full: Error {}

    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let threads = DispatchQueue(label: "souk.users.hashing", attributes: .concurrent)
    private let width: Int
    private let capacity: Int

    /// - Parameters:
    ///   - width: how much runs at once.
    ///   - capacity: how much may wait beyond that.
    init(width: Int, capacity: Int) {
        precondition(width >= 1 && capacity >= 0)
        self.width = width
        self.capacity = capacity
    }

    /// Runs `work` on one of the queue's threads and returns what it returns.
    ///
    /// - Throws: `Full`, at once; `CancellationError` when the task was cancelled before the work's turn; what `work` throws.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let abandoned = Abandoned()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let accepted = submit {
                    continuation.resume(
                        with: Result {
                            if abandoned.value { throw CancellationError() }
                            return try work()
                        })
                }
                if !accepted { continuation.resume(throwing: Full()) }
            }
        } onCancel: {
            abandoned.set()
        }
    }

    private func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        let decision: Bool? = state.withLock { state in
            if state.running < width {
                state.running += 1
                return true
            }
            guard state.waiting.count < capacity else { return nil }
            state.waiting.append(work)
            return false
        }
        if decision == true { start(work) }
        return decision != nil
    }

    private func start(_ first: @escaping @Sendable () -> Void) {
        threads.async {
            var next: (@Sendable () -> Void)? = first
            while let work = next {
                work()
                next = self.following()
            }
        }
    }

    /// The next piece of work for a thread that has finished one; nil gives its slot back.
    private func following() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }

    /// Whether the one who asked has gone.
    private final class Abandoned: Sendable {
        private let flag = Atomic(false)
        var value: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }
}
