public import Logging
public import NIOCore
import Resilience
import Synchronization

// Several proxies hold one limit together.
//
// A limit that asks a server before each request would cost each request a round trip, and would end with the server. So each proxy goes on deciding by
// itself, at once, by what it knows (`ArrivalTable`); and every tenth of a second it tells a Redis server what its callers have taken meanwhile, and
// is told how far ahead of their time they are by what all proxies have told.
//
// What is told of a caller are two numbers. By GCRA (`CellRate`) a request at time s moves the theoretical arrival time T to max(T, s) + interval.
// Many of them, the first at s, move it to
//
//     max(T + total, now + lead)
//
// with `total` the sum of their intervals and `lead` how far ahead the caller would be by these requests alone, had T been long over. This is exact,
// whatever T is: so a piece of news can be made before T is known, and of one proxy nothing is lost by telling late. With the total alone,
// a caller who comes evenly would be far ahead after each piece of news; with the lead alone, two proxies that each let through the whole rate would
// never notice. The news of several proxies are applied one after the other, which can only come out above what each has let through: together
// they never forget a request. For that T + total must still be there when it matters, also when T is over, so the server keeps T for some seconds longer.
//
// The answer is how far ahead of now the caller is. The proxy sets its own time to that, plus what was taken since the news was made, if that is later than
// what it has. It never sets it back: when the server forgets everything, the proxies have not.
//
// What this holds: with G proxies, within any time t, a caller gets at most
//
//     burst + rate · t + (G - 1) · (burst + rate · D)
//
// where D is the longest time in which what one proxy lets through becomes known to another: one interval until it is told, another until the other asks, and
// the ways between them and the server. For the last request that is let through found in its proxy's time all that the others let through but for the
// last D, in which each let through at most one burst and the rate. In the long run the rate holds: what was let through too early is waited for later.
//
// When the server is away, each proxy limits by itself, by all that it knew until then: never by nothing. It tries again after pauses that grow
// to ten seconds. What was told, and not answered, is told again under the same number, and the script counts it once. What was taken longer than two seconds ago
// is then told only as far as it still holds the caller back: two proxies that each let through the whole rate for an hour would otherwise have
// lent an hour.
//
// A new proxy, and one that has forgotten a caller, learns about that caller with its first request; it counts among the G.

/// The limits of several proxies, held together through a Redis server (5 or later, or what speaks like it; not in cluster mode).
public final class SharedRateLimits: Sendable {
    /// What there is to tell about the exchanges.
    public enum Event: Sendable {
        /// One went well, and took so long.
        case exchanged(within: TimeAmount)
        /// One failed, or the server cannot be reached.
        case failed
        /// So many requests count for this proxy alone, since there were too many callers to tell about.
        case untold(requests: Int)
    }

    /// How it goes.
    public struct Status: Hashable, Sendable {
        /// The last exchange went well.
        public internal(set) var isShared = false
        /// What was wrong with the last one.
        public internal(set) var failure: String?
    }

    /// How long a connection may take, and each answer.
    private static let patience = TimeAmount.seconds(1)
    private static let backoff = Backoff(first: .milliseconds(100), longest: .seconds(10))

    private let memory: RateLimitMemory
    /// Where the proxies tell each other. It shows neither user nor password.
    public let server: RedisAddress
    private let secret: String
    private let interval: Duration
    private let logger: Logger
    private let clock: @Sendable () -> NIODeadline
    private let observe: @Sendable (Event) -> Void
    private let state = Mutex(Status())

    /// - Parameters:
    ///   - memory: what the limits of this proxy count in.
    ///   - secret: the same in all proxies that share limits, and known to nobody else. By it callers have names on the server that say nothing about them.
    ///   - interval: between two exchanges.
    ///   - clock: the one by which the limits count.
    public init(
        _ memory: RateLimitMemory, server: RedisAddress, secret: String, interval: Duration = .milliseconds(100), logger: Logger,
        clock: @escaping @Sendable () -> NIODeadline = { .now() }, observe: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.memory = memory
        self.server = server
        self.secret = secret
        self.interval = interval
        self.logger = logger
        self.clock = clock
        self.observe = observe
        memory.arrivals.noteTakings(capacity: memory.capacity)
    }

    public var status: Status { state.withLock { $0 } }

    /// Shares until the task is cancelled.
    public func run() async {
        var outbox = TakingsOutbox(
            memory.arrivals, secret: secret, sender: "\(UInt64.random(in: .min ... .max))", now: RateLimitMemory.nanoseconds(clock()))
        var failures = 0
        while !Task.isCancelled {
            do {
                try await RedisConnection.with(server, patience: Self.patience) { connection in
                    while true {
                        try await exchange(&outbox, over: &connection)
                        failures = 0
                        try await Task.sleep(for: interval)
                    }
                }
            } catch {
                guard !Task.isCancelled else { return }
                note(failure: "\(error)")
                failures += 1
                let limit = Self.backoff.limit(beforeRetry: failures)
                try? await Task.sleep(for: limit * Double.random(in: 0.5...1))
            }
        }
    }

    /// Tells what was taken and learns what others have taken.
    func exchange(_ outbox: inout TakingsOutbox, over connection: inout RedisConnection) async throws {
        let start = NIODeadline.now()
        let untold = outbox.fill(now: RateLimitMemory.nanoseconds(clock()))
        if untold > 0 { observe(.untold(requests: untold)) }
        while let question = outbox.question(now: RateLimitMemory.nanoseconds(clock())) {
            let answer = try await connection.ask(question.command)
            try outbox.learn(SharedArrivalScript.leads(in: answer), now: RateLimitMemory.nanoseconds(clock()))
        }
        // Also when there is nothing to tell it is known whether the server is there.
        _ = try await connection.ask(["PING"])
        noteSuccess()
        observe(.exchanged(within: .now() - start))
    }

    // MARK: What is said about it

    private func noteSuccess() {
        let wasShared = state.withLock { status in
            defer { status = Status(isShared: true) }
            return status.isShared
        }
        if !wasShared { logger.info("rate limits are shared", metadata: ["server": "\(server)"]) }
    }

    /// The log hears of each reason once.
    private func note(failure: String) {
        let isNews = state.withLock { status in
            defer { status = Status(isShared: false, failure: failure) }
            return status.failure != failure
        }
        if isNews {
            logger.warning(
                "rate limits are not shared: each gateway limits by itself", metadata: ["server": "\(server)", "reason": "\(failure)"])
        }
        observe(.failed)
    }
}
