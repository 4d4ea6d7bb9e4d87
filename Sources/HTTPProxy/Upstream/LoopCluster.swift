import NIOCore
import Resilience

/// One cluster as one event loop sees it: the connections to its endpoints, who gets the next request, and whether any request should go there.
final class LoopCluster {
    let cluster: Cluster
    private(set) var health: ClusterHealth
    /// In the order of `health.endpoints`. None as long as nothing is known of where the cluster is.
    private(set) var pools: [EndpointPool]
    var breaker: CircuitBreaker
    var budget = RetryBudget()
    private var seeds: [UInt64]
    private var turn = 0

    init(_ cluster: Cluster, pools: [EndpointPool], health: ClusterHealth, now: NIODeadline) {
        self.cluster = cluster
        self.pools = pools
        self.health = health
        breaker = CircuitBreaker(limits: CircuitBreaker.Limits(cluster.breaker), at: now.sinceBoot)
        seeds = Self.seeds(of: pools)
    }

    /// The endpoints are others now. Requests under way stay with the pools that they have.
    func adopt(_ pools: [EndpointPool], _ health: ClusterHealth) {
        self.pools = pools
        self.health = health
        seeds = Self.seeds(of: pools)
    }

    private static func seeds(of pools: [EndpointPool]) -> [UInt64] { pools.map { HashRanking.hash($0.endpoint.description.utf8) } }

    /// Where a pool's endpoint stands now; nil when it is no more in the cluster.
    /// - Parameter last: where it stood.
    func index(of pool: EndpointPool, last: Int) -> Int? {
        if last < pools.count, pools[last] === pool { return last }
        return pools.firstIndex { $0 === pool }
    }

    /// Whether a request could go to another endpoint than this one.
    func hasOther(than pool: EndpointPool) -> Bool { pools.contains { $0 !== pool } }

    /// The endpoint for a request; nil when the cluster has none.
    ///
    /// - Parameters:
    ///   - key: what requests have in common that are to meet, when the balancing is by such a key.
    ///   - avoided: the endpoint that has just failed the request; it gets it again only when there is no other.
    ///   - random: evenly drawn from all 64 bits.
    func choose(key: UInt64, avoiding avoided: Int?, now: NIODeadline, random: () -> UInt64) -> Int? {
        guard pools.count > 1 else { return pools.isEmpty ? nil : 0 }
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
