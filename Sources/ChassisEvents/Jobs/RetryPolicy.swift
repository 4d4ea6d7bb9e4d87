public import Chassis

/// How often something is tried, and how long to wait in between.
///
/// The wait after attempt n is uniformly random between zero and `base` · 2ⁿ⁻¹, at most `cap`: exponential backoff with full jitter, so that
/// what failed together does not return together (M. Brooker, "Exponential Backoff And Jitter", AWS 2015).
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first included; at least 1.
    public let maxAttempts: Int
    public let base: Duration
    public let cap: Duration

    public init(maxAttempts: Int, base: Duration, cap: Duration) {
        precondition(maxAttempts >= 1 && base >= .zero && cap >= base)
        self.maxAttempts = maxAttempts
        self.base = base
        self.cap = cap
    }

    /// For jobs: 12 attempts over about a quarter of an hour.
    public static let standard = RetryPolicy(maxAttempts: 12, base: .milliseconds(500), cap: .seconds(300))
    /// For events: 5 attempts, since all later events of the same producer wait meanwhile.
    public static let events = RetryPolicy(maxAttempts: 5, base: .milliseconds(200), cap: .seconds(10))
    /// For loops that never give up: a database or a producer that is away.
    static let endless = RetryPolicy(maxAttempts: .max, base: .milliseconds(100), cap: .seconds(5))

    /// The wait after the given attempt, counted from 1, has failed.
    public func delay(afterAttempt attempt: Int, _ randomness: Randomness) -> Duration {
        // Beyond 2^30 every sensible base is over its cap.
        let exponential = base * (1 << min(max(attempt, 1) - 1, 30))
        return randomness.duration(below: min(cap, exponential))
    }
}
