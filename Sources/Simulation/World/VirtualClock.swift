import Chassis
import Commerce
import Synchronization

/// The time of a simulation: it stands still while anything is left to do, and then jumps to the next moment for which somebody waits.
final class VirtualClock: Sendable {
    private struct Alarm {
        let moment: Duration
        let ring: @Sendable () -> Void
    }

    private struct State {
        var now: Duration = .zero
        var lastNumber: UInt64 = 0
        var alarms: [UInt64: Alarm] = [:]
    }

    /// 2026-01-01T00:00:00Z.
    private static let beginning = Timestamp(millisecondsSinceEpoch: 1_767_225_600_000)

    private let state = Mutex(State())

    /// Time since the simulation began.
    var now: Duration { state.withLock { $0.now } }

    /// The wall clock of a machine whose clock is right.
    var wall: Timestamp { Self.beginning + now }

    /// The clocks of a machine.
    ///
    /// - Parameter offset: how far its wall clock is wrong at the moment.
    func source(offset: @escaping @Sendable () -> Duration = { .zero }) -> TimeSource {
        TimeSource(now: { self.wall + offset() }, monotonic: { self.now }, sleep: { try await self.sleep(for: $0) })
    }

    /// Calls `ring` after a while; returns the number to cancel it by.
    @discardableResult
    func after(_ duration: Duration, _ ring: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            state.alarms[state.lastNumber] = Alarm(moment: state.now + max(.zero, duration), ring: ring)
            return state.lastNumber
        }
    }

    func cancel(_ number: UInt64) {
        state.withLock { _ = $0.alarms.removeValue(forKey: number) }
    }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let woken = Promise<Void>()
        let number = after(duration) { woken.fulfil(()) }
        await withTaskCancellationHandler {
            await woken.value
        } onCancel: {
            cancel(number)
            woken.fulfil(())
        }
        try Task.checkCancellation()
    }

    /// Moves on to the next moment for which somebody waits, but not beyond `end`. False when nobody waits up to then.
    func advance(notBeyond end: Duration) -> Bool {
        let due = state.withLock { state -> [@Sendable () -> Void]? in
            guard let moment = state.alarms.values.map(\.moment).min(), moment <= end else {
                state.now = max(state.now, end)
                return nil
            }
            state.now = max(state.now, moment)
            let due = state.alarms.filter { $0.value.moment <= moment }.sorted { $0.key < $1.key }
            for (number, _) in due { state.alarms[number] = nil }
            return due.map(\.value.ring)
        }
        guard let due else { return false }
        for ring in due { ring() }
        return true
    }
}
