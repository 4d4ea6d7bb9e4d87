/// Which endpoint of a cluster gets a request. Loads are those of one event loop: each loop spreads its own requests.
public enum LoadBalancing: Hashable, Sendable {
    /// Of two drawn at random the one with fewer requests under way. As good as asking all, and a crowd of gateways does not run after the same
    /// endpoint (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
    case leastRequest
    /// In turn, whatever they have to do.
    case roundRobin
    /// Requests with the same key go to the same endpoint, as long as that one has no more than its share: see `HashRanking`.
    case consistentHash(by: HashKey)

    /// What the requests have in common that are to meet at one endpoint.
    public enum HashKey: Hashable, Sendable {
        case address
        /// Who is signed in; the address of who is not.
        case user
        case path
        /// The first value of the field of this name; the address without one.
        case header(String)
    }
}
