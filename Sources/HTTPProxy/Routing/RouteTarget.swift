public import NIOCore

/// Where a request goes.
public enum RouteTarget: Sendable {
    /// To an endpoint of the cluster of this name.
    case cluster(String)
    /// To an endpoint of one of several clusters, as when a new version gets a small share of the requests.
    case split(WeightedSplit)
    /// To a function in this process, for what is slow or rare. It runs on the connection's event loop, must not block, and may answer on
    /// any event loop. A request body is read only up to its head.
    case handler(@Sendable (RequestContext, any EventLoop) -> EventLoopFuture<LocalResponse>)
    /// Always the same response.
    case fixed(LocalResponse)
    /// Back to the client, who is to ask elsewhere.
    case redirect(Redirect)
}

/// Clusters that share a route's requests.
public struct WeightedSplit: Hashable, Sendable {
    public struct Share: Hashable, Sendable {
        public var cluster: String
        /// How many of the sum of all weights are its own; 0: only who names it.
        public var weight: Int

        public init(cluster: String, weight: Int) {
            self.cluster = cluster
            self.weight = weight
        }
    }

    public var shares: [Share]
    /// A field in which a client may name one of the clusters, and then gets that one: whoever tries a new version, or must stay with one.
    public var pinnedBy: String?

    public init(_ shares: [Share], pinnedBy: String? = nil) {
        self.shares = shares
        self.pinnedBy = pinnedBy
    }
}

/// A response that sends the client elsewhere.
public struct Redirect: Hashable, Sendable {
    /// 301, 302, 303, 307 or 308 (RFC 9110, 15.4).
    public var status: Int
    /// A path, or a whole address such as `https://shop.example`. Of a prefix route the rest of the path follows, and the query always.
    public var location: String

    public init(status: Int = 308, location: String) {
        self.status = status
        self.location = location
    }
}
