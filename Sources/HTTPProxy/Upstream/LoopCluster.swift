/// One cluster as one event loop sees it.
final class LoopCluster {
    let name: String
    private let pools: [EndpointPool]
    /// Where the search for the least busy starts, so that equally busy ones take turns.
    private var next = 0

    init(name: String, pools: [EndpointPool]) {
        self.name = name
        self.pools = pools
    }

    /// The pool of the endpoint with the fewest requests under way.
    func leastBusy() -> EndpointPool {
        next += 1
        if next >= pools.count { next = 0 }
        var best = pools[next]
        for offset in 1..<max(pools.count, 2) where best.load > 0 {
            let other = pools[(next + offset) % pools.count]
            if other.load < best.load { best = other }
        }
        return best
    }
}
