import Chassis
import Commerce
import Foundation
import Logging
import Synchronization

/// Collects log lines as text.
final class LineSink: Sendable {
    private let collected = Mutex<[String]>([])

    var output: LogOutput {
        LogOutput { line in self.collected.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }

    var lines: [String] { collected.withLock { $0 } }

    /// The last line as a JSON object.
    func lastObject() throws -> [String: Any] {
        let line = lines.last ?? ""
        return try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
}

/// A clock that stands still until it is moved. Sleepers wake when their moment has come.
final class StoppedClock: Sendable {
    fileprivate struct State {
        var elapsed: Duration = .zero
        var sleepers: [Int: (due: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var nextSleeper = 0
        var watchers: [(condition: @Sendable ([Duration]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    static let start = Timestamp(millisecondsSinceEpoch: 1795469662_000)  // 2026-11-23T21:34:22.000Z
    private let state = Mutex(State())

    var time: TimeSource {
        TimeSource(
            now: { Self.start + self.state.withLock { $0.elapsed } },
            monotonic: { self.state.withLock { $0.elapsed } },
            sleep: { try await self.sleep($0) }
        )
    }

    private func sleep(_ duration: Duration) async throws {
        let id = state.withLock { state in
            defer { state.nextSleeper += 1 }
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isCancelled, ready) = state.withLock { state in
                    guard state.cancelled.remove(id) == nil else { return (true, state.takeWatchers()) }
                    state.sleepers[id] = (state.elapsed + duration, continuation)
                    return (false, state.takeWatchers())
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                for watcher in ready { watcher.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.elapsed += duration
            let due = state.sleepers.filter { $0.value.due <= state.elapsed }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.due < $1.due }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns once so many sleep at the same time.
    func whenSleeping(_ count: Int) async {
        await when { $0.count >= count }
    }

    /// Returns once somebody will sleep for just so long from now.
    func whenSleeping(for duration: Duration) async {
        await when { $0.contains(duration) }
    }

    /// Returns once `condition` holds of the times for which everybody will sleep from now.
    private func when(_ condition: @escaping @Sendable ([Duration]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if condition(state.remaining) { return true }
                state.watchers.append((condition, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}

extension StoppedClock.State {
    fileprivate var remaining: [Duration] { sleepers.values.map { $0.due - elapsed } }

    fileprivate mutating func takeWatchers() -> [CheckedContinuation<Void, Never>] {
        let remaining = remaining
        let ready = watchers.filter { $0.condition(remaining) }
        watchers.removeAll { $0.condition(remaining) }
        return ready.map(\.continuation)
    }
}

/// A generator whose numbers are 1, 2, 3, …
func countingRandomness() -> Randomness {
    let next = Mutex<UInt64>(0)
    return Randomness {
        next.withLock { next in
            next += 1
            return next
        }
    }
}

/// The numbers of a list, one after another; zero when it is used up.
final class IteratorBox: Sendable {
    private let iterator: Mutex<IndexingIterator<[UInt64]>>

    init(_ iterator: IndexingIterator<[UInt64]>) {
        self.iterator = Mutex(iterator)
    }

    func next() -> UInt64 { iterator.withLock { $0.next() ?? 0 } }
}
