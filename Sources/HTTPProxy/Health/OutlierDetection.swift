public import NIOCore

/// When an endpoint that answers badly is left alone for a while. The figures are Envoy's.
public struct OutlierDetection: Hashable, Sendable {
    /// Failures in a row after which an endpoint is put out: answers of 500 and above, and no answers.
    public var consecutiveFailures = 5
    /// How long it is out after the first time; after the second twice as long, and so on.
    public var baseTime: TimeAmount = .seconds(30)
    /// It is never out for longer.
    public var maximumTime: TimeAmount = .seconds(300)
    /// Each time of this length that it has been in again takes one off the number of times.
    public var forgetsAfter: TimeAmount = .seconds(10)
    /// How many percent of a cluster's endpoints may be out at once. One always may, the last never.
    public var maximumPercent = 10

    public init() {}
}

/// A request that the proxy itself sends to each endpoint now and then.
public struct HealthCheck: Hashable, Sendable {
    /// An answer of 200 to 299 at this path means healthy.
    public var path: String
    public var interval: TimeAmount = .seconds(5)
    public var timeout: TimeAmount = .seconds(1)
    /// Bad answers in a row after which an endpoint gets no more requests.
    public var unhealthyAfter = 3
    /// Good answers in a row after which it gets some again.
    public var healthyAfter = 2

    public init(path: String) {
        self.path = path
    }
}
