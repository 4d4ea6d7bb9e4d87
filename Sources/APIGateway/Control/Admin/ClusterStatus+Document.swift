import Commerce
import HTTPProxy
import NIOCore

extension ClusterStatus {
    /// - Parameter now: when it was so.
    func document(at now: Timestamp) -> OrderedJSON {
        [
            "name": .string(name), "activeRequests": .number(activeRequests), "panicking": .bool(isPanicking),
            "breaker": breaker?.document ?? .null,
            "retries": ["active": .number(retries.active), "limit": .number(retries.limit)],
            "endpoints": .array(endpoints.map { $0.document(at: now) }),
        ]
    }
}

extension BreakerStatus {
    fileprivate var document: OrderedJSON {
        [
            "phase": .string(phase), "closedLoops": .number(closedLoops), "halfOpenLoops": .number(halfOpenLoops),
            "openLoops": .number(openLoops), "nextTrySeconds": .seconds(nextTry),
        ]
    }

    /// That of the loop which is worst off.
    private var phase: String {
        if openLoops > 0 { "open" } else if halfOpenLoops > 0 { "half-open" } else { "closed" }
    }
}

extension EndpointStatus {
    fileprivate func document(at now: Timestamp) -> OrderedJSON {
        [
            "address": .string("\(endpoint)"), "name": endpoint.name.map(OrderedJSON.string) ?? .null, "available": .bool(isAvailable),
            "healthy": isHealthy.map(OrderedJSON.bool) ?? .null,
            "ejectedUntil": .time(ejectedFor.map { now + .nanoseconds($0.nanoseconds) }), "ejections": .number(ejections),
            "consecutiveFailures": .number(consecutiveFailures),
            "connections": [
                "active": .number(activeConnections), "idle": .number(idleConnections), "opening": .number(openingConnections),
            ],
            "waitingRequests": .number(waitingRequests),
        ]
    }
}
