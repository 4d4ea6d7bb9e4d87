import Synchronization

/// What happened, line by line, with the time since the beginning. The same seed gives the same text, byte for byte.
public final class Trace: Sendable {
    private let state = Mutex<[String]>([])
    private let clock: VirtualClock

    init(_ clock: VirtualClock) {
        self.clock = clock
    }

    func note(_ text: String) {
        let milliseconds = clock.now.components.seconds * 1000 + clock.now.components.attoseconds / 1_000_000_000_000_000
        let fraction = String(milliseconds % 1000)
        let moment = "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
        state.withLock { $0.append(String(repeating: " ", count: max(0, 10 - moment.count)) + moment + "  " + text) }
    }

    public var lines: [String] { state.withLock { $0 } }
}
