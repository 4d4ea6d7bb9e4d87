import HTTPProxy
import Metrics
import NIOCore
import Synchronization

/// Counts requests by route, cluster and class of status, with the handles kept: finding one by its labels on every request costs more than counting.
final class GatewayMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let statusClass: Int
    }

    private struct LimitKey: Hashable {
        let route: String
        let limit: String
    }

    private struct CacheKey: Hashable {
        let route: String
        let result: CacheResult
    }

    private let factory: any MetricsFactory
    /// A route has one cluster, or the few of a split: they are looked through, not hashed.
    private let timers = Mutex<[Key: [(cluster: String, timer: Timer)]]>([:])
    private let cacheRequests = Mutex<[CacheKey: Counter]>([:])
    private let refusals = Mutex<[LimitKey: (counter: Counter, count: Int)]>([:])

    init(_ factory: any MetricsFactory) {
        self.factory = factory
    }

    func record(_ measurement: ExchangeMeasurement) {
        let key = Key(route: measurement.routeName ?? "none", statusClass: measurement.statusClass)
        let cluster = measurement.clusterName ?? "none"
        let timer = timers.withLock { timers in
            if let known = timers[key]?.first(where: { $0.cluster == cluster }) { return known.timer }
            let metric = GatewayMetric.requestDuration
            let timer = Timer(
                label: metric.rawValue, dimensions: metric.dimensions([key.route, cluster, "\(key.statusClass)xx"]), factory: factory)
            timers[key, default: []].append((cluster, timer))
            return timer
        }
        timer.recordNanoseconds(measurement.totalNanoseconds)
        if let result = measurement.cache { count(result, of: key.route) }
    }

    private func count(_ result: CacheResult, of route: String) {
        let key = CacheKey(route: route, result: result)
        let counter = cacheRequests.withLock { counters in
            if let known = counters[key] { return known }
            let counter = self.counter(.cacheRequests, route, result.rawValue)
            counters[key] = counter
            return counter
        }
        counter.increment()
    }

    func record(_ incident: ProxyIncident, of cluster: String) {
        switch incident {
        case .retried: counter(.retries, cluster).increment()
        case .refusedByBreaker: counter(.breakerRefused, cluster).increment()
        case .breakerOpened: counter(.breakerOpenings, cluster).increment()
        // By the name, of which there are as many as the configuration says: a counter is for ever, and addresses come and go.
        case .ejected(let endpoint, _):
            counter(.endpointEjections, cluster, endpoint.name ?? endpoint.host, "\(endpoint.port)").increment()
        case .lookupFailed: counter(.lookupFailures, cluster).increment()
        case .addressesChanged: counter(.addressChanges, cluster).increment()
        // Where they have led to is looked up when somebody asks.
        case .breakerHalfOpened, .breakerClosed, .readmitted, .failedProbes, .recovered: break
        }
    }

    // MARK: Rate limits

    /// Counts a request that a limit refused.
    func limited(route: String, limit: String) {
        refusals.withLock { refusals in
            let key = LimitKey(route: route, limit: limit)
            refusals[key, default: (counter(.rateLimited, route, limit), 0)].count += 1
            refusals[key]?.counter.increment()
        }
    }

    /// How many requests the limit has refused since the process began.
    func refused(route: String, limit: String) -> Int {
        refusals.withLock { $0[LimitKey(route: route, limit: limit)]?.count ?? 0 }
    }

    /// Where gateways share their limits: how the exchanges go.
    func record(_ event: SharedRateLimits.Event) {
        switch event {
        case .exchanged(let time):
            Timer(label: GatewayMetric.rateLimitExchangeDuration.rawValue, factory: factory).recordNanoseconds(time.nanoseconds)
        case .failed: counter(.rateLimitExchangeFailures).increment()
        case .untold(let requests): counter(.rateLimitUntold).increment(by: requests)
        }
    }

    private func counter(_ metric: GatewayMetric, _ values: String...) -> Counter {
        Counter(label: metric.rawValue, dimensions: metric.dimensions(values), factory: factory)
    }
}
