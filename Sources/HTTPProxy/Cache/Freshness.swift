// How old a response is, and until when it may be used (RFC 9111 section 4.2).
//
// Age is counted by a clock that only goes forward, from the moment at which the upstream was asked: what passed until the answer came may have
// passed after it was made. What it says of its own age is added, and when its `Date` lies further back than that, `Date` is believed. The wall clock is
// looked at for that once and never again, so setting it changes no response that is stored.

/// The times of one response.
struct Freshness: Hashable, Sendable {
    /// How long it may be used, from the time at which it was made.
    let lifetimeSeconds: Int
    /// When it was made, in nanoseconds of the store's clock; may be below 0.
    private let madeAt: Int64

    /// When the proxy asked for a response and got it.
    struct Moment: Hashable, Sendable {
        /// In nanoseconds of the store's clock.
        let requestedAt: Int64
        let receivedAt: Int64
        /// The wall clock at `receivedAt`, in seconds since 1970.
        let unixSeconds: Int64
    }

    /// Nil when the response says nothing of it or contradicts itself, or is not fresh.
    init?(_ head: ResponseHead, _ directives: CacheDirectives, _ moment: Moment) {
        let date = head.onlyValue(of: "date", HTTPDate.seconds)
        guard head.has("date") == (date != nil), let lifetime = Self.lifetime(head, directives, date: date ?? moment.unixSeconds) else {
            return nil
        }
        let told = head.onlyValue(of: "age", CacheDirectives.seconds)
        guard head.has("age") == (told != nil) else { return nil }
        let delay = moment.receivedAt - moment.requestedAt
        let apparent = min(max(0, moment.unixSeconds - (date ?? moment.unixSeconds)), Int64(CacheDirectives.longestSeconds))
        let age = max(apparent * Self.second, Int64(told ?? 0) * Self.second + delay)
        lifetimeSeconds = lifetime
        madeAt = moment.receivedAt - age
        guard isFresh(at: moment.receivedAt) else { return nil }
    }

    private static let second: Int64 = 1_000_000_000

    /// What is for shared caches comes before what is for all, and both before the date of expiry.
    private static func lifetime(_ head: ResponseHead, _ directives: CacheDirectives, date: Int64) -> Int? {
        if let seconds = directives.sharedMaximumAge ?? directives.maximumAge { return seconds }
        guard let expires = head.onlyValue(of: "expires", HTTPDate.seconds), expires > date else { return nil }
        return Int(min(expires - date, Int64(CacheDirectives.longestSeconds)))
    }

    func ageSeconds(at now: Int64) -> Int { Int(max(0, now - madeAt) / Self.second) }

    /// For how many seconds more it may be used.
    func remainingSeconds(at now: Int64) -> Int { lifetimeSeconds - ageSeconds(at: now) }

    func isFresh(at now: Int64) -> Bool { remainingSeconds(at: now) > 0 }
}
