public import NIOCore

/// Where a service is: in a configuration an address or a name, which may stand for many addresses; then one of these.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A host name or an IP address (IPv6 without brackets).
    public let host: String
    public let port: Int
    /// The name that `host` was found by; nil for what the configuration says itself.
    public let name: String?
    /// `host` is the name of one machine, which has an address of each family.
    let addresses: AddressPair?

    struct AddressPair: Hashable, Sendable {
        let ipv4: String
        let ipv6: String
    }

    public init(host: String, port: Int) {
        self.init(host, port, name: nil, addresses: nil)
    }

    /// An address that was found by a name.
    init(address: String, port: Int, name: String) {
        self.init(address, port, name: name, addresses: nil)
    }

    /// A name that was found to be one machine.
    init(name: String, port: Int, ipv4: String, ipv6: String) {
        self.init(name, port, name: name, addresses: AddressPair(ipv4: ipv4, ipv6: ipv6))
    }

    private init(_ host: String, _ port: Int, name: String?, addresses: AddressPair?) {
        self.host = host
        self.port = port
        self.name = name
        self.addresses = addresses
    }

    public var description: String { Self.text(host, port) }

    /// How the configuration calls it: what a service is told as its `Host`.
    var authority: String { Self.text(name ?? host, port) }

    /// The name that its certificate must be for, written as TLS wants it (RFC 6066, 3); nil when it has no name.
    var serverName: String? {
        guard let written = name ?? (isAddress ? nil : host) else { return nil }
        return written.hasSuffix(".") ? String(written.dropLast()) : written
    }

    /// Whether it is an IP address and not a name.
    var isAddress: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }

    private static func text(_ host: String, _ port: Int) -> String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Endpoints that serve the same thing.
public struct Cluster: Hashable, Sendable {
    /// Unique; a label of metrics and logs.
    public let name: String
    public let endpoints: [Endpoint]
    /// How names among them become addresses. Nil: a name is one endpoint, resolved anew for each connection.
    public var resolution: NameResolution? = NameResolution()
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
