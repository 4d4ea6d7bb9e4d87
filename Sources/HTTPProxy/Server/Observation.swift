public import NIOCore
import Resilience

/// What became of one exchange; a plain value for an access log. Made only when somebody listens.
public struct AccessRecord: Sendable {
    /// When the request's head was complete, in nanoseconds since 1970.
    public let unixNanoseconds: Int64
    public let method: String
    /// The path in normal form, without the query, which may hold what no log should.
    public let path: String
    public let routeName: String?
    public let clusterName: String?
    /// The status sent to the client; 0 when there was none.
    public let status: Int
    /// Body bytes received and sent.
    public let requestBytes: Int
    public let responseBytes: Int
    /// From the complete head to the end of the exchange.
    public let totalNanoseconds: Int64
    /// From sending the request's head upstream to the response's head; nil when there was none.
    public let upstreamNanoseconds: Int64?
    public let upstreamEndpoint: Endpoint?
    public let requestID: String
    public let traceID: String
    public let clientAddress: String
    /// What the client spoke.
    public let version: ProtocolVersion
    public let outcome: ExchangeOutcome
    /// Nil: the route does not cache.
    public let cache: CacheResult?
}

/// A version of HTTP, by the number that OpenTelemetry gives it (`network.protocol.version`).
public enum ProtocolVersion: String, Sendable {
    case http10 = "1.0"
    case http11 = "1.1"
    case http2 = "2"
}

/// How an exchange ended.
public enum ExchangeOutcome: Hashable, Sendable {
    /// An upstream's response was passed on to its end.
    case proxied
    /// The proxy answered: a policy, a local handler, a fixed response.
    case answered
    /// The client went away.
    case clientGone
    /// The proxy refused the request or gave it up.
    case failed(ProxyFailure)
}

/// One exchange for metrics; every label has a bounded number of values.
public struct ExchangeMeasurement: Sendable {
    public let routeName: String?
    public let clusterName: String?
    /// 1…5, the first digit of the status; 0 when there was none.
    public let statusClass: Int
    public let totalNanoseconds: Int64
    public let requestBytes: Int
    public let responseBytes: Int
    /// Nil: the route does not cache.
    public let cache: CacheResult?
}

/// What the proxy did about a cluster's failures.
public enum ProxyIncident: Hashable, Sendable {
    /// A request is sent again.
    case retried
    case breakerOpened
    case breakerHalfOpened
    case breakerClosed
    /// A request was answered with 503 because the breaker is open.
    case refusedByBreaker
    /// The endpoint gets no requests for so long.
    case ejected(Endpoint, for: TimeAmount)
    case readmitted(Endpoint)
    /// The endpoint fails its probes and gets no requests.
    case failedProbes(Endpoint)
    case recovered(Endpoint)
    /// A name of the cluster could not be looked up, or has no address: those that it had last stay in use.
    case lookupFailed(name: String)
    /// The names of the cluster stand for other addresses.
    case addressesChanged(came: [Endpoint], went: [Endpoint])

    init(_ change: HealthChange, of endpoint: Endpoint) {
        self =
            switch change {
            case .ejected(let time): .ejected(endpoint, for: time)
            case .failedProbes: .failedProbes(endpoint)
            case .recovered: .recovered(endpoint)
            }
    }

    init(_ phase: CircuitBreaker.Phase) {
        self =
            switch phase {
            case .open: .breakerOpened
            case .halfOpen: .breakerHalfOpened
            case .closed: .breakerClosed
            }
    }
}

/// Who is told about exchanges. The closures run on the event loop and must not block; the first two are called once an exchange.
public struct ProxyObserver: Sendable {
    public var access: (@Sendable (AccessRecord) -> Void)?
    public var exchange: (@Sendable (ExchangeMeasurement) -> Void)?
    public var incident: (@Sendable (_ cluster: String, ProxyIncident) -> Void)?

    public init(
        access: (@Sendable (AccessRecord) -> Void)? = nil, exchange: (@Sendable (ExchangeMeasurement) -> Void)? = nil,
        incident: (@Sendable (_ cluster: String, ProxyIncident) -> Void)? = nil
    ) {
        self.access = access
        self.exchange = exchange
        self.incident = incident
    }

    var listens: Bool { access != nil || exchange != nil }
}
