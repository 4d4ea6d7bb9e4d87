/// The clusters that a route's requests go to, ready to choose one.
enum ClusterChoice: Sendable {
    struct Share: Sendable {
        let name: String
        /// Where the cluster stands in the configuration.
        let index: Int
        /// The sum of the weights up to its own.
        let end: UInt64
    }

    /// The route has no cluster.
    case none
    case one(Int)
    case weighted([Share], pinnedBy: String?)

    /// - Throws: `ProxyConfigurationError` when a cluster is not there, or nobody would get anything.
    init(of route: Route, _ clusters: [String: Int]) throws(ProxyConfigurationError) {
        func index(_ name: String) throws(ProxyConfigurationError) -> Int {
            guard let index = clusters[name] else {
                throw ProxyConfigurationError("route \(route.name) goes to the cluster \(name), which is not there")
            }
            return index
        }
        switch route.target {
        case .cluster(let name): self = .one(try index(name))
        case .split(let split):
            var end: UInt64 = 0
            var shares: [Share] = []
            for share in split.shares {
                guard share.weight >= 0 else { throw ProxyConfigurationError("route \(route.name): a weight is below 0") }
                end += UInt64(share.weight)
                shares.append(Share(name: share.cluster, index: try index(share.cluster), end: end))
            }
            guard end > 0 else { throw ProxyConfigurationError("route \(route.name): all weights are 0") }
            self = .weighted(shares, pinnedBy: split.pinnedBy)
        case .handler, .fixed, .redirect: self = .none
        }
    }

    /// - Parameter random: evenly drawn from all 64 bits.
    func choose(for head: RequestHead, random: () -> UInt64) -> Int? {
        switch self {
        case .none: return nil
        case .one(let index): return index
        case .weighted(let shares, let pin):
            if let pin, let name = head.first(pin), let share = shares.first(where: { $0.name == name }) { return share.index }
            // The product's high half is evenly below the sum (Lemire, 2019), but for less than 2⁻⁴⁰ with sums like these.
            let drawn = random().multipliedFullWidth(by: shares.last?.end ?? 1).high
            return shares.first { drawn < $0.end }?.index
        }
    }
}
