/// Stops calling a service that does not answer, and finds out gently when it does again.
///
/// Waiting for a dead service costs its callers their own threads, connections and time, and their callers' in turn; and
/// a service that comes up under the full load of everybody who waited for it goes down again. (M. Nygard, "Release It!", chapter 5.)
///
/// ## States
///
///     closed ──(failures)──▶ open ──(time is over)──▶ half-open ──(probes succeed)──▶ closed
///                             ▲                           │
///                             └───────(a probe fails)─────┘
///
/// - **Closed**: all calls pass. Their outcomes are counted in a window of 10 seconds, in ten slots of one. It opens when at least 20
///   calls are in the window and half of them failed, or when 5 in a row could not even connect: a process that is gone
///   need not be asked 20 times.
/// - **Open**: all calls are refused at once. For 1 s after the first time, then 2, 4 … up to 30 s, as long as each time ends in
///   another failure. A breaker that stayed closed for a whole window begins again at 1 s.
/// - **Half-open**: up to 2 calls at once pass as probes, the rest is refused. After 2 successes it closes, with an empty window. One
///   failure opens it again.
///
/// ## Late answers
///
/// A call can end long after it began, when the breaker is in another state. Every change of state starts a new *generation*; a call
/// takes the number along in its permit, and what a call of an earlier generation reports is dropped: it tells of a service as it
/// was. So a straggler of the outage cannot reopen a breaker that just closed, nor an old success close one.
///
/// ## Shape
///
/// A value without a clock, a lock or a task: the time comes in as a parameter (monotonic), so that every interleaving can be tested. Whoever
/// owns one holds a lock around it. Each admitted call must `record` exactly once, else a half-open breaker would wait for it forever.
package struct CircuitBreaker: Sendable {
    package struct Limits: Hashable, Sendable {
        package var minimumCalls = 20
        package var failureFraction = 0.5
        package var consecutiveConnectFailures = 5
        package var probes = 2
        package var firstOpenTime: Duration = .seconds(1)
        package var maximumOpenTime: Duration = .seconds(30)

        package init() {}
    }

    package enum Outcome: Sendable, Hashable, CaseIterable {
        case success
        /// An answer that says the service is in trouble, or none in time.
        case failure
        /// Not even a connection.
        case connectFailure
        /// Cancelled or never sent: it says nothing about the service.
        case abandoned
    }

    package enum Phase: Int, Sendable, Hashable {
        case closed = 0
        case halfOpen = 1
        case open = 2
    }

    /// Proof of admission, to be handed back with the outcome.
    package struct Permit: Sendable, Hashable {
        fileprivate let generation: UInt64
    }

    package enum Admission: Sendable, Hashable {
        case admitted(Permit)
        /// Nothing was sent; the next try makes sense after this time.
        case refused(retryAfter: Duration)
    }

    private enum State {
        case closed
        case open(until: Duration)
        case halfOpen(probesUnderWay: Int, successes: Int)
    }

    private let limits: Limits
    private var state = State.closed
    private var generation: UInt64 = 0
    // These three count while it is closed. They are no part of `State`, where every call would copy them.
    private var window = OutcomeWindow()
    private var connectFailures = 0
    private var closedSince: Duration
    /// How often it opened without having stayed closed for a whole window in between.
    private var openings = 0

    package init(limits: Limits = Limits(), at now: Duration = .zero) {
        self.limits = limits
        self.closedSince = now
    }

    package var phase: Phase {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// How long an open breaker still refuses every call, 0 when the next one is let through; nil when it is not open.
    package func timeUntilProbe(at now: Duration) -> Duration? {
        guard case .open(let until) = state else { return nil }
        return max(.zero, until - now)
    }

    /// Whether a call may go out now.
    package mutating func admit(at now: Duration) -> Admission {
        switch state {
        case .closed:
            return .admitted(Permit(generation: generation))
        case .open(let until) where now < until:
            return .refused(retryAfter: until - now)
        case .open:
            enter(.halfOpen(probesUnderWay: 1, successes: 0))
            return .admitted(Permit(generation: generation))
        case .halfOpen(let underWay, let successes):
            guard underWay + successes < limits.probes else { return .refused(retryAfter: limits.firstOpenTime) }
            state = .halfOpen(probesUnderWay: underWay + 1, successes: successes)
            return .admitted(Permit(generation: generation))
        }
    }

    /// How an admitted call ended.
    package mutating func record(_ outcome: Outcome, for permit: Permit, at now: Duration) {
        guard permit.generation == generation else { return }
        switch state {
        case .closed:
            recordCall(outcome, at: now)
        case .halfOpen(let underWay, let successes):
            recordProbe(outcome, underWay: underWay - 1, successes: successes, at: now)
        case .open:
            assertionFailure("an open breaker has admitted nothing in its generation")
        }
    }

    private mutating func recordCall(_ outcome: Outcome, at now: Duration) {
        guard outcome != .abandoned else { return }
        window.add(isFailure: outcome != .success, at: now)
        connectFailures = outcome == .connectFailure ? connectFailures + 1 : 0
        // Only a failure opens it: a success could be the twentieth call, and would else be what tips the scales.
        guard outcome != .success else { return }
        let (calls, failures) = window.totals(at: now)
        let tooManyFailed = calls >= limits.minimumCalls && Double(failures) >= Double(calls) * limits.failureFraction
        guard tooManyFailed || connectFailures >= limits.consecutiveConnectFailures else { return }
        if now - closedSince >= OutcomeWindow.length { openings = 0 }
        open(at: now)
    }

    private mutating func recordProbe(_ outcome: Outcome, underWay: Int, successes: Int, at now: Duration) {
        switch outcome {
        case .success where successes + 1 >= limits.probes:
            close(at: now)
        case .success:
            state = .halfOpen(probesUnderWay: underWay, successes: successes + 1)
        case .abandoned:
            state = .halfOpen(probesUnderWay: underWay, successes: successes)
        case .failure, .connectFailure:
            open(at: now)
        }
    }

    private mutating func open(at now: Duration) {
        // 2^10 first open times are beyond any sensible maximum; the bound keeps the shift from overflowing.
        let time = limits.firstOpenTime * (1 << min(openings, 10))
        openings += 1
        enter(.open(until: now + min(time, limits.maximumOpenTime)))
    }

    private mutating func close(at now: Duration) {
        window = OutcomeWindow()
        connectFailures = 0
        closedSince = now
        enter(.closed)
    }

    private mutating func enter(_ next: State) {
        generation += 1
        state = next
    }
}
