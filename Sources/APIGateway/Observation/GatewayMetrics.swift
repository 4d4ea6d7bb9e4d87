import HTTPProxy
import Metrics
import Synchronization

/// Counts requests by route and class of status, with the handles kept: finding one by its labels on every request costs more than counting.
final class GatewayMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let statusClass: Int
    }

    private let timers = Mutex<[Key: Timer]>([:])

    /// Counts a request that a limit refused.
    func limited(route: String, limit: String) {
        Counter(label: "gateway.rate.limited", dimensions: [("http.route", route), ("limit", limit)]).increment()
    }

    func record(_ measurement: ExchangeMeasurement) {
        let key = Key(route: measurement.routeName ?? "none", statusClass: measurement.statusClass)
        let timer = timers.withLock { timers in
            if let timer = timers[key] { return timer }
            let timer = Timer(
                label: "gateway.request.duration", dimensions: [("http.route", key.route), ("status", "\(key.statusClass)xx")])
            timers[key] = timer
            return timer
        }
        timer.recordNanoseconds(measurement.totalNanoseconds)
    }
}
