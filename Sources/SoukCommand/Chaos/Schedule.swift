import Contracts
import Simulation

/// What happens when in a run of `souk chaos`, drawn from its seed: the same seed and length give the same schedule.
struct Schedule: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        /// Since customers have begun to order.
        let time: Duration
        let disturbance: Disturbance

        /// When it has been taken back.
        var end: Duration { time + disturbance.duration }
    }

    private static let pause: ClosedRange<Duration> = .milliseconds(300) ... .milliseconds(3_000)
    private static let latency: ClosedRange<Duration> = .milliseconds(20) ... .milliseconds(900)
    private static let longest = Duration.seconds(6)

    let entries: [Entry]

    /// - Parameter length: by then everything has been taken back. Disturbances may overlap, and the first six are of six kinds.
    init(seed: UInt64, length: Duration) {
        let generator = SeededGenerator(seed: seed)
        var entries: [Entry] = []
        var next: [Disturbance.Kind] = []
        var time = generator.duration(in: Self.pause)
        while time < length {
            if next.isEmpty { next = generator.shuffled(Disturbance.Kind.allCases) }
            let disturbance = Self.disturbance(next.removeLast(), at: time, before: length, generator)
            entries.append(Entry(time: time, disturbance: disturbance))
            time += generator.duration(in: Self.pause)
        }
        self.entries = entries
    }

    private static func disturbance(
        _ kind: Disturbance.Kind, at time: Duration, before length: Duration, _ generator: SeededGenerator
    ) -> Disturbance {
        let duration = min(generator.duration(in: .milliseconds(200)...longest), length - time)
        let service = generator.pick(ServiceName.allCases)
        let link = generator.pick(Link.all)
        return switch kind {
        case .kill: .kill(service)
        case .restart: .restart(service)
        case .freeze: .freeze(service, duration)
        case .cut: .cut(link, duration)
        case .stall: .stall(link, duration)
        case .slow: .slow(link, duration, latency: generator.duration(in: latency))
        }
    }
}

extension SeededGenerator {
    /// By Fisher and Yates.
    fileprivate func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var shuffled = elements
        for last in shuffled.indices.dropFirst().reversed() { shuffled.swapAt(last, int(in: 0...last)) }
        return shuffled
    }
}
