import Synchronization

/// A value that comes once, and one task that may wait for it. What comes later is ignored.
final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, Never>)
        case kept(Value)
    }

    private let state = Mutex(State.open)

    func fulfil(_ value: Value) {
        let waiter = state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .open:
                state = .kept(value)
                return nil
            case .awaited(let waiter):
                state = .kept(value)
                return waiter
            case .kept: return nil
            }
        }
        waiter?.resume(returning: value)
    }

    /// The value, if it has come.
    var now: Value? {
        state.withLock { if case .kept(let value) = $0 { value } else { nil } }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let kept = state.withLock { state -> Value? in
                    if case .kept(let value) = state { return value }
                    state = .awaited(continuation)
                    return nil
                }
                if let kept { continuation.resume(returning: kept) }
            }
        }
    }
}
