import Chassis
import Commerce
import Contracts
import Metrics
import Synchronization

/// How far a consumer is, for status and metrics.
///
/// "Behind" is the age of the oldest event that is known and not yet applied, or the time since the producer was last heard of: zero
/// exactly when the consumer has read to the end of the feed and nothing has gone wrong since.
final class ConsumerProgress: Sendable {
    private struct State {
        var position: Int64 = 0
        var behindSince: Timestamp?
        /// Why it does not go on by itself.
        var stopReason: String?
    }

    let source: ServiceName
    private let time: TimeSource
    private let state = Mutex(State())
    private let positionGauge: Gauge
    private let lagGauge: Gauge

    init(source: ServiceName, time: TimeSource) {
        self.source = source
        self.time = time
        positionGauge = Gauge(label: "souk.consumer.position", dimensions: [("source", source.rawValue)])
        lagGauge = Gauge(label: "souk.consumer.lag.seconds", dimensions: [("source", source.rawValue)])
    }

    var position: Int64 { state.withLock { $0.position } }
    var stopReason: String? { state.withLock { $0.stopReason } }

    var secondsBehind: Double {
        guard let since = state.withLock({ $0.behindSince }) else { return 0 }
        return Double(max(0, (time.now - since).wholeMilliseconds)) / 1000
    }

    /// Nothing is left to read.
    func caughtUp(at position: Int64) {
        change { $0 = State(position: position) }
    }

    /// An event that happened at `moment` is known and not applied.
    func behind(since moment: Timestamp, at position: Int64) {
        change { $0 = State(position: position, behindSince: moment) }
    }

    /// The producer or the database does not answer.
    func lostContact(now: Timestamp) {
        change { $0.behindSince = $0.behindSince ?? now }
    }

    /// The consumer cannot go on without a person.
    func stopped(_ reason: String, now: Timestamp) {
        change { state in
            state.behindSince = state.behindSince ?? now
            state.stopReason = reason
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let position = state.withLock { state in
            body(&state)
            return state.position
        }
        positionGauge.record(position)
        lagGauge.record(secondsBehind)
    }
}
