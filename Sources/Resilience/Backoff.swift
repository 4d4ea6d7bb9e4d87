/// How long to pause before a retry: a random time below a limit that doubles, so that callers that failed together do not come back together.
///
/// The figures are Envoy's: below (2ⁿ − 1) · 25 ms, at most 250 ms.
package struct Backoff: Hashable, Sendable {
    /// The first pause is random below this, the second below three times this.
    package var first: Duration
    /// No pause is longer.
    package var longest: Duration

    package init(first: Duration = .milliseconds(25), longest: Duration = .milliseconds(250)) {
        self.first = first
        self.longest = longest
    }

    /// How long the pause before this retry may be, counting from 1.
    package func limit(beforeRetry number: Int) -> Duration {
        min(first * ((1 << min(number, 20)) - 1), longest)
    }
}
