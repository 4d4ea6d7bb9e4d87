import Commerce
import Synchronization

// Who follows an order is told at once when it changes, without anybody asking the database again and again.
//
// A transaction that changes an order announces its id once it is committed. Whoever follows that order wakes up and reads what is new. An
// announcement carries nothing but "look again", so a hundred of them while somebody is busy writing to a slow client are one; nothing is
// queued, and an announcement never waits for a follower. One that comes between looking and waiting is kept, so none is lost.
//
// It is a hint, not the truth: it reaches only the followers in this process. Another replica's commit is found by looking again
// now and then (`OrderFollowing.pollInterval`).
//
// Bounds: followers in all and of one order. Each holds a connection open, so the bounds are what protects the process; beyond
// them a request to follow is refused with a 503. A follower is forgotten when its last reference goes, whatever the reason was.

/// Tells those who follow an order that it has changed.
final class OrderChanges: Sendable {
    private struct State {
        var followers: [OrderID: [UInt64: WeakFollower]] = [:]
        var count = 0
        var nextNumber: UInt64 = 0
    }

    private struct WeakFollower {
        weak var follower: OrderFollower?
    }

    private let largestCount: Int
    private let largestCountOfOneOrder: Int
    private let state = Mutex(State())

    init(largestCount: Int = 10_000, largestCountOfOneOrder: Int = 20) {
        self.largestCount = largestCount
        self.largestCountOfOneOrder = largestCountOfOneOrder
    }

    /// How many follow some order now.
    var followerCount: Int { state.withLock { $0.count } }

    /// Follows an order until the follower is released.
    ///
    /// - Throws: `OrderError.tooManyFollowers`.
    func follow(_ id: OrderID) throws(OrderError) -> OrderFollower {
        let follower = state.withLock { state -> OrderFollower? in
            guard state.count < largestCount, state.followers[id]?.count ?? 0 < largestCountOfOneOrder else { return nil }
            state.nextNumber += 1
            state.count += 1
            let follower = OrderFollower(of: id, number: state.nextNumber, in: self)
            state.followers[id, default: [:]][state.nextNumber] = WeakFollower(follower: follower)
            return follower
        }
        guard let follower else { throw .tooManyFollowers }
        return follower
    }

    /// Wakes those who follow an order. Never blocks, so that a database's thread may call it.
    func announce(_ id: OrderID) {
        let followers = state.withLock { state in state.followers[id]?.values.compactMap(\.follower) ?? [] }
        for follower in followers { follower.wake() }
    }

    fileprivate func forget(_ number: UInt64, of id: OrderID) {
        state.withLock { state in
            guard state.followers[id]?.removeValue(forKey: number) != nil else { return }
            if state.followers[id]?.isEmpty == true { state.followers[id] = nil }
            state.count -= 1
        }
    }
}

/// One who follows one order. Releasing it ends the following.
final class OrderFollower: Sendable {
    private enum State {
        case idle
        /// There was a change since the last wait.
        case signalled
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let id: OrderID
    private let number: UInt64
    private let changes: OrderChanges
    private let state = Mutex(State.idle)

    fileprivate init(of id: OrderID, number: UInt64, in changes: OrderChanges) {
        self.id = id
        self.number = number
        self.changes = changes
    }

    deinit { changes.forget(number, of: id) }

    /// Ends the wait, or the next one when nobody waits now.
    func wake() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waiting(let continuation) = state else {
                state = .signalled
                return nil
            }
            state = .idle
            return continuation
        }
        waiter?.resume()
    }

    /// Returns when the order may have changed since the last wait, or the task is cancelled. One task at a time may wait.
    func change() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // Looked at under the lock that `wake` takes too: whichever comes first, the waiter is resumed once.
                    if case .signalled = state {
                        state = .idle
                        return true
                    }
                    if Task.isCancelled { return true }
                    state = .waiting(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }
}
