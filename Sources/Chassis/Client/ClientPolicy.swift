import Resilience

/// How patient and how persistent a client is. The figures are Envoy's where Envoy has one.
public struct ClientPolicy: Sendable {
    /// How long a call may take with all its retries, unless the call says so itself or the deadline is nearer.
    public var timeout: Duration = .seconds(5)

    /// How long one attempt of a call that may be repeated waits, unless the call has a timeout of its own.
    public var attemptTimeout: Duration = .seconds(2)

    /// The first try included.
    public var attempts = 3

    /// The first pause is random below this, the second below three times this: full jitter, so that callers that failed together do not come
    /// back together.
    public var firstPause: Duration = .milliseconds(25)

    /// No pause is longer.
    public var longestPause: Duration = .milliseconds(250)

    public static let standard = ClientPolicy()

    public init() {}

    var backoff: Backoff { Backoff(first: firstPause, longest: longestPause) }
}
