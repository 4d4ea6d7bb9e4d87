import NIOCore
import Resilience

/// One cluster as one event loop sees it: the connections to its endpoints, who gets the next request, and whether any request should go there.
final class LoopCluster {
    let cluster: Cluster
    let health: ClusterHealth
    let pools: [EndpointPool]
    var breaker: CircuitBreaker
    var budget = RetryBudget()
    private let seeds: [UInt64]
    private var turn = 0

    init(_ cluster: Cluster, pools: [EndpointPool], health: ClusterHealth, now: NIODeadline) {
        self.cluster = cluster
        self.pools = pools
        self.health = health
        breaker = CircuitBreaker(limits: CircuitBreaker.Limits(cluster.breaker), at: now.sinceBoot)
        seeds = pools.map { HashRanking.hash($0.endpoint.description.utf8) }
    }

    /// The endpoint for a request.
    ///
    /// - Parameters:
    ///   - key: what requests have in common that are to meet, when the balancing is by such a key.
    ///   - avoided: the endpoint that has just failed the request; it gets it again only when there is no other.
    ///   - random: evenly drawn from all 64 bits.
    func choose(key: UInt64, avoiding avoided: Int?, now: NIODeadline, random: () -> UInt64) -> Int {
        guard pools.count > 1 else { return 0 }
        guard avoided == nil, health.isAllWell else {
            let candidates = health.candidates(now: now)
            let others = candidates.filter { $0 != avoided }
            return choose(from: others.isEmpty ? candidates : others, key, random)
        }
        return choose(from: pools.indices, key, random)
    }

    private func choose(from candidates: some RandomAccessCollection<Int>, _ key: UInt64, _ random: () -> UInt64) -> Int {
        func candidate(_ number: Int) -> Int { candidates[candidates.index(candidates.startIndex, offsetBy: number)] }
        let count = candidates.count
        guard count > 1 else { return candidate(0) }
        switch cluster.balancing {
        case .leastRequest:
            let (first, second) = Self.twoDifferent(below: count, random())
            let (one, other) = (candidate(first), candidate(second))
            return pools[other].load < pools[one].load ? other : one
        case .roundRobin:
            turn = (turn + 1) % count
            return candidate(turn)
        case .consistentHash:
            return HashRanking.choose(from: candidates, key: key, seeds: seeds) { pools[$0].load } ?? candidate(0)
        }
    }

    /// Two numbers below `count`, each pair as likely as any other.
    static func twoDifferent(below count: Int, _ random: UInt64) -> (Int, Int) {
        let first = Int(((random & 0xFFFF_FFFF) * UInt64(count)) >> 32)
        let step = Int(((random >> 32) * UInt64(count - 1)) >> 32)
        return (first, (first + 1 + step) % count)
    }
}

extension NIODeadline {
    /// The monotonic clock as `Duration`.
    var sinceBoot: Duration { .nanoseconds(Int64(clamping: uptimeNanoseconds)) }
}
