public import NIOCore

/// What a proxy is doing at one moment: see ``ProxyServer/status()``.
///
/// Each event loop tells of itself, in its own time: the numbers of two loops may be some microseconds apart.
public struct ProxyStatus: Hashable, Sendable {
    /// It takes no new connections, and ends when the requests under way have ended.
    public internal(set) var isDraining = false
    public internal(set) var eventLoops = 0
    /// Connections of clients that are open, whether they have a request under way or not.
    public internal(set) var clientConnections = 0
    /// Requests whose head has come and whose response has not ended, those that the proxy answers itself included.
    public internal(set) var activeRequests = 0
    public internal(set) var cache = CacheStatus()
    /// In the configuration's order.
    public internal(set) var clusters: [ClusterStatus]
}

/// The responses that a proxy keeps.
public struct CacheStatus: Hashable, Sendable {
    public internal(set) var entries = 0
    /// What they take of memory, and may take.
    public internal(set) var bytes = 0
    public internal(set) var capacity = 0

    init() {}

    init(_ responses: ResponseCache) {
        (entries, bytes, capacity) = (responses.entries, responses.bytes, responses.capacity)
    }
}

/// What a proxy knows of a cluster.
public struct ClusterStatus: Hashable, Sendable {
    public let name: String
    /// So few endpoints are worth a request that all get some.
    public let isPanicking: Bool
    public internal(set) var endpoints: [EndpointStatus]
    /// Requests that are for the cluster: sent, waiting for a connection or for their next try.
    public internal(set) var activeRequests = 0
    public internal(set) var retries = RetryStatus()
    /// Nil: the cluster has none.
    public internal(set) var breaker: BreakerStatus?
}

/// The retries of a cluster, of all event loops together.
public struct RetryStatus: Hashable, Sendable {
    /// Under way, from their pause until they are over.
    public internal(set) var active = 0
    /// How many could be under way with as many requests as there are now.
    public internal(set) var limit = 0
}

/// The breakers of a cluster: each event loop has one.
public struct BreakerStatus: Hashable, Sendable {
    public internal(set) var closedLoops = 0
    public internal(set) var halfOpenLoops = 0
    public internal(set) var openLoops = 0
    /// When the first of the open ones lets a request through to see; nil when none is open. 0: with the next request.
    public internal(set) var nextTry: TimeAmount?
}

/// What a proxy knows of an endpoint, and has open to it.
///
/// Clusters that name the same endpoint with the same limits and the same TLS share its connections; each shows all of them.
public struct EndpointStatus: Hashable, Sendable {
    public let endpoint: Endpoint
    /// By the answers to the proxy's own probes; nil when it is not probed.
    public let isHealthy: Bool?
    /// For how long it will still get no requests because of what became of earlier ones; nil when it is in.
    public let ejectedFor: TimeAmount?
    /// How often it was put out, less what it has made good since: with each time it is out for longer.
    public let ejections: Int
    /// Requests that went wrong since one went well.
    public let consecutiveFailures: Int
    /// Connections that are open and have no request.
    public internal(set) var idleConnections = 0
    /// Connections that have a request.
    public internal(set) var activeConnections = 0
    /// Connections that are being made.
    public internal(set) var openingConnections = 0
    /// Requests that wait for a connection.
    public internal(set) var waitingRequests = 0

    /// Whether it is worth a request.
    public var isAvailable: Bool { ejectedFor == nil && isHealthy != false }
}
