public import NIOCore

/// Everything that decides what the proxy does with a request. A value: it is checked as a whole and swapped as a whole.
public struct ProxyConfiguration: Sendable {
    public var clusters: [Cluster]
    public var routes: [Route]
    /// Proxies in front of this one. Only from them are `X-Forwarded-*`, `traceparent` and `tracestate` believed.
    public var trustedProxies: [AddressRange]
    /// Header names starting so (any case, `_` read as `-`) are never accepted from a client.
    public var reservedHeaderPrefixes: [String]
    /// Paths that are never routed, in whatever spelling or case, even if a route would take them.
    public var blockedPathPrefixes: [String]
    /// What stands before a problem's name in its `type`.
    public var problemTypePrefix: String
    public var limits: ProxyLimits
    /// Nil: clients speak plain TCP.
    public var tls: ServerTLS?
    public var http2 = HTTP2Options()
    /// How many bytes the responses that are kept may take.
    public var cacheBytes = 64 << 20

    public init(
        clusters: [Cluster] = [], routes: [Route], trustedProxies: [AddressRange] = [], reservedHeaderPrefixes: [String] = [],
        blockedPathPrefixes: [String] = ["/internal"], problemTypePrefix: String = "urn:souk:problem:", limits: ProxyLimits = ProxyLimits()
    ) {
        self.clusters = clusters
        self.routes = routes
        self.trustedProxies = trustedProxies
        self.reservedHeaderPrefixes = reservedHeaderPrefixes
        self.blockedPathPrefixes = blockedPathPrefixes
        self.problemTypePrefix = problemTypePrefix
        self.limits = limits
    }
}

/// What one client connection may use.
public struct ProxyLimits: Hashable, Sendable {
    /// The request line and all header fields, in bytes; more is a 431.
    public var maximumHeadBytes = 32 * 1024
    /// Header fields; more is a 431.
    public var maximumHeaderFields = 100
    /// From a request's first byte to the end of its head; slower is a 408.
    public var headTimeout: TimeAmount = .seconds(10)
    /// How long a connection may wait for its next request before it is closed.
    public var idleTimeout: TimeAmount = .seconds(75)

    public init() {}
}

/// Whether clients may speak HTTP/2 (RFC 9113), and how much of it.
public struct HTTP2Options: Hashable, Sendable {
    /// Over TLS, for clients that choose it by ALPN (RFC 7301).
    public var isEnabled = true
    /// Without TLS, for clients that know beforehand (RFC 9113 section 3.3). The `Upgrade` of RFC 7540, which nobody uses, is not understood.
    public var isCleartextAllowed = false
    /// Requests at a time on one connection.
    public var maximumConcurrentStreams = 100

    public init() {}
}

/// A configuration that contradicts itself. `description` says what is wrong, for the person who wrote it.
public struct ProxyConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
