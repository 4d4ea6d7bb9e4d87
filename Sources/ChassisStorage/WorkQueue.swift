import Dispatch
import Synchronization

/// A bounded first-in, first-out queue between tasks, which never block, and a driver's threads, which sleep while it is empty.
///
/// Putting an element costs a short critical section; the system is asked to wake a thread only when one sleeps. Under load no
/// thread sleeps, so a burst of a thousand elements costs one wake-up.
final class WorkQueue<Element: Sendable>: Sendable {
    private struct State {
        /// Elements before `head` are taken already.
        var elements: [Element] = []
        var head = 0
        var sleepers = 0
        var isClosed = false

        var count: Int { elements.count - head }

        mutating func removeFirst(_ wanted: Int) -> [Element] {
            if head == 0 && wanted >= elements.count {
                defer { elements = [] }
                return elements
            }
            let end = min(head + wanted, elements.count)
            let taken = Array(elements[head..<end])
            head = end
            // Shifting what remains only when it is the smaller half keeps the cost per element constant.
            if head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
            return taken
        }
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)
    private let limit: Int

    /// - Parameter limit: how many elements may wait.
    init(limit: Int) { self.limit = limit }

    /// Elements that wait now.
    var count: Int { state.withLock { $0.count } }

    /// Adds an element.
    ///
    /// - Throws: ``StorageError/overloaded`` when the queue is full, ``StorageError/unavailable`` when it is closed.
    func put(_ element: Element) throws(StorageError) {
        let mustWake = try state.withLock { (state) throws(StorageError) in
            if state.isClosed { throw .unavailable }
            if state.count >= limit { throw .overloaded }
            state.elements.append(element)
            guard state.sleepers > 0 else { return false }
            state.sleepers -= 1
            return true
        }
        if mustWake { wakeUp.signal() }
    }

    /// Takes the oldest elements, at most `count`, and sleeps until there is one. Empty only when the queue is closed and drained.
    func take(atMost count: Int) -> [Element] {
        while true {
            let taken: [Element]? = state.withLock { state in
                if state.count > 0 { return state.removeFirst(count) }
                if state.isClosed { return [] }
                // Whoever sees this sleeper wakes exactly one thread, so no wake-up is lost between here and `wait`.
                state.sleepers += 1
                return nil
            }
            if let taken { return taken }
            wakeUp.wait()
        }
    }

    /// Takes the oldest elements, at most `count`, without waiting.
    func takeNow(atMost count: Int) -> [Element] {
        state.withLock { $0.count == 0 ? [] : $0.removeFirst(count) }
    }

    /// Lets no more elements in. Threads take what waits, then find the queue at its end.
    func close() {
        let sleepers = state.withLock { state in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { wakeUp.signal() }
    }
}
