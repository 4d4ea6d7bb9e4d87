public import NIOCore

/// When a request that went wrong is sent again, to another endpoint if there is one. Never once a part of the response went to the client; never
/// beyond a budget of a fifth of the cluster's requests under way (three always), so that retries cannot keep down what is already down.
public struct RetryPolicy: Hashable, Sendable {
    /// How often at most.
    public var retries = 2
    /// Statuses of responses that are worth another try, unless they say when to come back (`Retry-After`).
    ///
    /// They, and connections that break, are repeated only when that is harmless: the method is idempotent (RFC 9110, 9.2.2) or the request
    /// has an `Idempotency-Key`. A request for which there was no connection was never sent: it is repeated whatever it is.
    public var statuses: Set<Int> = [502, 503]
    /// As long as a request's body is no longer it is kept until the response begins; a request with a longer one cannot be repeated.
    public var maximumBodyBytes = 64 * 1024
    /// The first pause is random below this, the second below three times this, and so on.
    public var firstPause: TimeAmount = .milliseconds(25)
    public var longestPause: TimeAmount = .milliseconds(250)

    public init(retries: Int = 2) {
        self.retries = retries
    }

    public static let none = RetryPolicy(retries: 0)
}
