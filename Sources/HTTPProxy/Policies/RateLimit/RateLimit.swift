public import NIOCore

/// How many requests somebody may make in a while.
public struct RateLimit: Sendable, Hashable {
    /// What requests are counted by.
    public enum Key: String, Sendable, CaseIterable {
        /// The client's address; of IPv6 its first 64 bits, which one customer of a provider has.
        case address
        /// Who is signed in, by what a policy before it found out; the address of whoever is not.
        case user
        /// The credentials as they were sent, whatever they are worth; the address of whoever sends none. Of use only behind a policy that
        /// refuses bad ones.
        case token
        /// All requests of the route together.
        case route
    }

    /// Tells it from others of the same route; letters, digits, `-` and `_`.
    public var name: String
    /// The requests of one window, at least 1.
    public var quota: Int
    public var window: TimeAmount
    /// The requests that may come at once, at least 1.
    public var burst: Int
    public var key: Key

    /// - Parameter burst: the whole quota unless said otherwise.
    public init(name: String, quota: Int, window: TimeAmount, burst: Int? = nil, key: Key) {
        self.name = name
        self.quota = quota
        self.window = window
        self.burst = burst ?? quota
        self.key = key
    }
}

/// What the limits of a proxy have counted, for all its event loops and through every change of its configuration. It never grows.
public final class RateLimitMemory: Sendable {
    let arrivals: ArrivalTable

    /// - Parameter capacity: how many callers are remembered at most; each takes 16 bytes. When there are more, those go first who may make the
    ///   most requests anyway.
    public init(capacity: Int = 65_536) {
        arrivals = ArrivalTable(capacity: capacity)
    }

    /// How many callers can be remembered.
    public var capacity: Int { arrivals.capacity }

    /// How many callers have less than their whole quota now. When it comes near the capacity, some are forgotten too early. It takes a look at all
    /// of them: for whoever watches, not for a request.
    public func callers(now: NIODeadline = .now()) -> Int { arrivals.countAhead(of: Self.nanoseconds(now)) }

    /// A clock may begin at 0, which in the memory stands for never.
    static func nanoseconds(_ time: NIODeadline) -> Int64 { Int64(clamping: time.uptimeNanoseconds) + 1 }
}
