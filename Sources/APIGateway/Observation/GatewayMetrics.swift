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
    /// On how many event loops a cluster's breaker is open.
    private let openBreakers = Mutex<[String: Int]>([:])

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

    func record(_ incident: ProxyIncident, of cluster: String) {
        func count(_ label: String) { Counter(label: label, dimensions: [("cluster", cluster)]).increment() }
        switch incident {
        case .retried: count("gateway.retries")
        case .refusedByBreaker: count("gateway.breaker.refused")
        case .breakerOpened: noteBreaker(of: cluster, by: 1)
        case .breakerHalfOpened: noteBreaker(of: cluster, by: -1)
        case .breakerClosed: break
        case .ejected(let endpoint, _): noteEndpoint(endpoint, of: cluster, "gateway.endpoint.ejected", isSo: true)
        case .readmitted(let endpoint): noteEndpoint(endpoint, of: cluster, "gateway.endpoint.ejected", isSo: false)
        case .failedProbes(let endpoint): noteEndpoint(endpoint, of: cluster, "gateway.endpoint.unhealthy", isSo: true)
        case .recovered(let endpoint): noteEndpoint(endpoint, of: cluster, "gateway.endpoint.unhealthy", isSo: false)
        }
    }

    private func noteBreaker(of cluster: String, by step: Int) {
        let count = openBreakers.withLock { counts in
            counts[cluster, default: 0] += step
            return counts[cluster, default: 0]
        }
        Gauge(label: "gateway.breaker.open", dimensions: [("cluster", cluster)]).record(count)
    }

    private func noteEndpoint(_ endpoint: Endpoint, of cluster: String, _ label: String, isSo: Bool) {
        Gauge(label: label, dimensions: [("cluster", cluster), ("endpoint", "\(endpoint)")]).record(isSo ? 1 : 0)
    }
}
