/// Everything that the gateway's data plane counts and measures. Each is told of in docs/gateway.md, which a test sees to.
///
/// Where OpenTelemetry's semantic conventions have a name for it, it has that name; labels have those of its attributes.
enum GatewayMetric: String, CaseIterable {
    case requestDuration = "gateway.request.duration"
    case activeRequests = "http.server.active_requests"
    case clientConnections = "gateway.client.connections"
    case upstreamRequests = "http.client.active_requests"
    case upstreamConnections = "http.client.open_connections"
    case waitingRequests = "gateway.waiting_requests"
    case endpointEjected = "gateway.endpoint.ejected"
    case endpointUnhealthy = "gateway.endpoint.unhealthy"
    case endpointEjections = "gateway.endpoint.ejections"
    case breakerLoops = "gateway.breaker.loops"
    case breakerOpenings = "gateway.breaker.openings"
    case breakerRefused = "gateway.breaker.refused"
    case retries = "gateway.retries"
    case addressChanges = "gateway.dns.changes"
    case lookupFailures = "gateway.dns.failures"
    case rateLimited = "gateway.rate.limited"
    case rateLimitCallers = "gateway.rate_limit.callers"
    case rateLimitCapacity = "gateway.rate_limit.capacity"
    case rateLimitShared = "gateway.rate_limit.shared"
    case rateLimitExchangeDuration = "gateway.rate_limit.exchange.duration"
    case rateLimitExchangeFailures = "gateway.rate_limit.exchange.failures"
    case rateLimitUntold = "gateway.rate_limit.untold"
    case cacheRequests = "gateway.cache.requests"
    case cacheBytes = "gateway.cache.bytes"
    case cacheCapacity = "gateway.cache.capacity"
    case cacheEntries = "gateway.cache.entries"
    case configurationStale = "gateway.configuration.stale"

    enum Kind: String {
        case counter, gauge, histogram
    }

    var kind: Kind {
        switch self {
        case .requestDuration, .rateLimitExchangeDuration: .histogram
        case .endpointEjections, .breakerOpenings, .breakerRefused, .retries, .addressChanges, .lookupFailures, .rateLimited,
            .rateLimitExchangeFailures, .rateLimitUntold, .cacheRequests:
            .counter
        default: .gauge
        }
    }

    var labels: [String] {
        switch self {
        case .requestDuration: ["http.route", "cluster", "status"]
        case .upstreamConnections: ["cluster", "server.address", "server.port", "http.connection.state"]
        case .upstreamRequests, .waitingRequests, .endpointEjected, .endpointUnhealthy, .endpointEjections:
            ["cluster", "server.address", "server.port"]
        case .breakerLoops: ["cluster", "state"]
        case .breakerOpenings, .breakerRefused, .retries, .addressChanges, .lookupFailures: ["cluster"]
        case .rateLimited: ["http.route", "limit"]
        case .cacheRequests: ["http.route", "result"]
        case .activeRequests, .clientConnections, .rateLimitCallers, .rateLimitCapacity, .rateLimitShared, .rateLimitExchangeDuration,
            .rateLimitExchangeFailures, .rateLimitUntold, .cacheBytes, .cacheCapacity, .cacheEntries, .configurationStale:
            []
        }
    }

    /// The labels with one value each, in their order.
    func dimensions(_ values: [String]) -> [(String, String)] {
        assert(values.count == labels.count, "\(rawValue) has the labels \(labels)")
        return Array(zip(labels, values))
    }
}
