public import NIOCore
import Resilience

/// When nothing at all is sent to a cluster for a while, and its requests are told so at once (503): who does not answer costs everybody who waits.
/// Each event loop has a breaker of its own. See `CircuitBreaker` for how it works.
public struct BreakerLimits: Hashable, Sendable {
    /// It may open when so many requests ended within ten seconds …
    public var minimumRequests = 20
    /// … and so many percent of them had no answer in time, or 502 or 504 …
    public var failurePercent = 50
    /// … or when so many in a row could not even connect.
    public var consecutiveConnectFailures = 5
    /// For how long after the first time; then twice as long each time that it was in vain.
    public var firstOpenTime: TimeAmount = .seconds(1)
    public var maximumOpenTime: TimeAmount = .seconds(5)

    public init() {}
}

extension CircuitBreaker.Limits {
    /// - Parameter limits: nil for a breaker that never opens.
    init(_ limits: BreakerLimits?) {
        self.init()
        guard let limits else {
            (minimumCalls, consecutiveConnectFailures) = (.max, .max)
            return
        }
        minimumCalls = limits.minimumRequests
        failureFraction = Double(limits.failurePercent) / 100
        consecutiveConnectFailures = limits.consecutiveConnectFailures
        firstOpenTime = .nanoseconds(limits.firstOpenTime.nanoseconds)
        maximumOpenTime = .nanoseconds(limits.maximumOpenTime.nanoseconds)
    }
}
