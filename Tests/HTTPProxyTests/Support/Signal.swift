import Synchronization

/// Something that happens again and again, and that a test waits for.
final class Signal: Sendable {
    private struct State {
        var count = 0
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// It has happened.
    func give() {
        let woken = state.withLock { state in
            state.count += 1
            let woken = state.waiting.filter { $0.count <= state.count }
            state.waiting.removeAll { $0.count <= state.count }
            return woken
        }
        for one in woken { one.continuation.resume() }
    }

    /// Completes when it has happened so many times from now on.
    func wait(_ times: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.waiting.append(($0.count + times, continuation)) }
        }
    }
}
