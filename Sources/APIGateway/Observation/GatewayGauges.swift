import HTTPProxy
import Metrics
import Synchronization

/// What is as it is at the moment in which somebody asks for the metrics. Looking then costs requests nothing; and what a new configuration
/// has no more is not shown any more, as it would be if every change were told.
final class GatewayGauges: Sendable {
    struct Reading: Hashable {
        let metric: GatewayMetric
        let labels: [String]
        let value: Int

        init(_ metric: GatewayMetric, _ labels: String..., value: Int) {
            self.metric = metric
            self.labels = labels
            self.value = value
        }
    }

    private struct Series: Hashable {
        let metric: GatewayMetric
        let labels: [String]
    }

    private let factory: any MetricsFactory
    private let shown = Mutex<[Series: Meter]>([:])

    init(_ factory: any MetricsFactory) {
        self.factory = factory
    }

    /// From now on these are shown, and no others.
    func show(_ readings: [Reading]) {
        shown.withLock { shown in
            var old = shown
            shown = [:]
            for reading in readings {
                let series = Series(metric: reading.metric, labels: reading.labels)
                let meter =
                    old.removeValue(forKey: series)
                    ?? Meter(
                        label: reading.metric.rawValue, dimensions: reading.metric.dimensions(reading.labels), factory: factory)
                meter.set(reading.value)
                shown[series] = meter
            }
            for meter in old.values { meter.destroy() }
        }
    }
}

extension GatewayGauges.Reading {
    /// Everything as it is now.
    static func of(_ running: RunningGateway, _ memory: RateLimitMemory, _ sharing: SharedRateLimits?) async -> [Self] {
        of(
            status: await running.status(), callers: memory.callers(), capacity: memory.capacity, areLimitsShared: sharing?.status.isShared,
            isStale: running.failure != nil)
    }

    /// - Parameters:
    ///   - status: nil when the data plane does not run.
    ///   - areLimitsShared: nil when they are not meant to be.
    static func of(status: ProxyStatus?, callers: Int, capacity: Int, areLimitsShared: Bool?, isStale: Bool) -> [Self] {
        var own = [
            Self(.rateLimitCallers, value: callers), Self(.rateLimitCapacity, value: capacity),
            Self(.configurationStale, value: isStale ? 1 : 0),
        ]
        if let areLimitsShared { own.append(Self(.rateLimitShared, value: areLimitsShared ? 1 : 0)) }
        guard let status else { return own }
        return own + [
            Self(.activeRequests, value: status.activeRequests), Self(.clientConnections, value: status.clientConnections),
            Self(.cacheBytes, value: status.cache.bytes), Self(.cacheCapacity, value: status.cache.capacity),
            Self(.cacheEntries, value: status.cache.entries),
        ] + status.clusters.flatMap(of)
    }

    private static func of(_ cluster: ClusterStatus) -> [Self] {
        let breaker = cluster.breaker.map { breaker in
            [("closed", breaker.closedLoops), ("half_open", breaker.halfOpenLoops), ("open", breaker.openLoops)].map { state, loops in
                Self(.breakerLoops, cluster.name, state, value: loops)
            }
        }
        return (breaker ?? []) + cluster.endpoints.flatMap { of($0, cluster.name) }
    }

    private static func of(_ status: EndpointStatus, _ cluster: String) -> [Self] {
        let (address, port) = (status.endpoint.host, "\(status.endpoint.port)")
        return [
            Self(.upstreamRequests, cluster, address, port, value: status.activeConnections),
            Self(.upstreamConnections, cluster, address, port, "active", value: status.activeConnections),
            Self(.upstreamConnections, cluster, address, port, "idle", value: status.idleConnections),
            Self(.waitingRequests, cluster, address, port, value: status.waitingRequests),
            Self(.endpointEjected, cluster, address, port, value: status.ejectedFor == nil ? 0 : 1),
            Self(.endpointUnhealthy, cluster, address, port, value: status.isHealthy == false ? 1 : 0),
        ]
    }
}
