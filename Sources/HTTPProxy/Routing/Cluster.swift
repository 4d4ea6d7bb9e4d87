public import NIOCore

/// One address of a service. A name is resolved anew for every connection that is opened.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A host name or an IP address (IPv6 without brackets).
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Endpoints that serve the same thing.
public struct Cluster: Hashable, Sendable {
    /// Unique; a label of metrics and logs.
    public let name: String
    public let endpoints: [Endpoint]
    public var connections: ConnectionLimits
    /// Nil: plain TCP.
    public var tls: UpstreamTLS?
    public var balancing = LoadBalancing.leastRequest
    /// Nil: no endpoint is ever put out.
    public var outlierDetection: OutlierDetection? = OutlierDetection()
    /// Nil: the endpoints are not probed.
    public var healthCheck: HealthCheck?
    /// Nil: the cluster is always asked.
    public var breaker: BreakerLimits? = BreakerLimits()

    public init(name: String, endpoints: [Endpoint], connections: ConnectionLimits = ConnectionLimits()) {
        self.name = name
        self.endpoints = endpoints
        self.connections = connections
    }
}

/// How connections to one endpoint are kept, per event loop.
public struct ConnectionLimits: Hashable, Sendable {
    /// Connections open at once, idle ones included.
    public var maximumConnections = 256
    /// Connections kept although no request uses them. As many as may be open: what a burst has opened the next one finds, and what nobody needs any
    /// more the idle timeout closes.
    public var maximumIdle = 256
    /// Requests that may wait for a connection when all are in use; further ones get a 503.
    public var maximumWaiting = 1024
    /// How long a request may wait for a connection when all are in use; after that it gets a 503.
    public var maximumWait: TimeAmount = .milliseconds(250)
    /// The same when for as long as `maximumWait` there was always somebody waiting. What comes in faster than it is served is best refused
    /// soon: this bounds how much later than in a quiet hour any request is served.
    public var overloadedWait: TimeAmount = .milliseconds(20)
    /// An unused connection is closed after this long. Keep it below the upstream's own idle timeout.
    public var idleTimeout: TimeAmount = .seconds(30)
    /// How long opening a connection may take, resolving the name included.
    public var connectTimeout: TimeAmount = .seconds(3)

    public init() {}
}
