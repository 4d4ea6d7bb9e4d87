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

    /// How long the pause before this retry may be, counting from 1: (2ⁿ − 1) · 25 ms, at most 250 ms.
    func pauseLimit(beforeRetry number: Int) -> Duration {
        min(firstPause * ((1 << min(number, 20)) - 1), longestPause)
    }
}
