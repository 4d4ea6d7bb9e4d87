import NIOCore
import Resilience

// How the status of a proxy comes about: a frame of what all event loops share, which is the configuration and the health of its endpoints, to
// which each loop adds what only it knows. The loops are asked one by one while requests go on and configurations come and go, so they are held
// together by names: a loop that already has the next configuration adds to the clusters that are in both.

/// What one event loop tells of itself.
struct LoopStatus: Sendable {
    let isDraining: Bool
    let clientConnections: Int
    let activeRequests: Int
    let clusters: [LoopClusterStatus]
}

struct LoopClusterStatus: Sendable {
    let name: String
    let activeRequests: Int
    let activeRetries: Int
    let retryLimit: Int
    let breaker: CircuitBreaker.Phase
    /// Nil unless the breaker is open.
    let nextTry: TimeAmount?
    let pools: [PoolStatus]
}

struct PoolStatus: Sendable {
    let endpoint: Endpoint
    let idle: Int
    let lent: Int
    let opening: Int
    let waiting: Int
}

extension ProxyLoop {
    func status(now: NIODeadline) -> LoopStatus {
        LoopStatus(
            isDraining: isDraining, clientConnections: connectionCount, activeRequests: activeRequests,
            clusters: clusters.map { $0.status(now: now) })
    }
}

extension LoopCluster {
    fileprivate func status(now: NIODeadline) -> LoopClusterStatus {
        LoopClusterStatus(
            name: cluster.name, activeRequests: budget.callsInFlight, activeRetries: budget.retriesInFlight, retryLimit: budget.limit,
            breaker: breaker.phase, nextTry: breaker.timeUntilProbe(at: now.sinceBoot).map { TimeAmount($0) },
            pools: pools.map(\.status))
    }
}

extension ProxyStatus {
    /// What all event loops share.
    init(_ snapshot: ProxySnapshot, now: NIODeadline) {
        clusters = zip(snapshot.configuration.clusters, snapshot.health).map { cluster, health in
            ClusterStatus(
                name: cluster.name, isPanicking: health.isPanicking(now: now),
                endpoints: health.endpoints.map { $0.status(isProbed: cluster.healthCheck != nil, now: now) },
                breaker: cluster.breaker.map { _ in BreakerStatus() })
        }
    }

    mutating func add(_ loop: LoopStatus) {
        isDraining = isDraining || loop.isDraining
        eventLoops += 1
        clientConnections += loop.clientConnections
        activeRequests += loop.activeRequests
        let found = Dictionary(loop.clusters.map { ($0.name, $0) }) { first, _ in first }
        for index in clusters.indices {
            if let cluster = found[clusters[index].name] { clusters[index].add(cluster) }
        }
    }
}

extension ClusterStatus {
    fileprivate mutating func add(_ loop: LoopClusterStatus) {
        activeRequests += loop.activeRequests
        retries.active += loop.activeRetries
        retries.limit += loop.retryLimit
        breaker?.add(loop.breaker, nextTry: loop.nextTry)
        let found = Dictionary(loop.pools.map { ($0.endpoint, $0) }) { first, _ in first }
        for index in endpoints.indices {
            guard let pool = found[endpoints[index].endpoint] else { continue }
            endpoints[index].idleConnections += pool.idle
            endpoints[index].activeConnections += pool.lent
            endpoints[index].openingConnections += pool.opening
            endpoints[index].waitingRequests += pool.waiting
        }
    }
}

extension BreakerStatus {
    fileprivate mutating func add(_ phase: CircuitBreaker.Phase, nextTry time: TimeAmount?) {
        switch phase {
        case .closed: closedLoops += 1
        case .halfOpen: halfOpenLoops += 1
        case .open: openLoops += 1
        }
        if let time { nextTry = min(nextTry ?? time, time) }
    }
}
