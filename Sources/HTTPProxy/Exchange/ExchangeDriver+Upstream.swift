import NIOCore
import Resilience

// The way to an upstream: which endpoint, a connection to it, and what the cluster learns from how it went.
//
// An exchange asks the cluster's breaker once, when it first wants a connection, and tells it once how it ended, retries included: what a retry
// has mended is no reason to stop asking. The endpoints' health hears of every try.

/// What an exchange has with its cluster.
struct Attempts {
    /// The breaker's, until it was told the outcome.
    var permit: CircuitBreaker.Permit?
    /// The cluster counts this exchange among its calls.
    var isCounted = false
    /// A place in the retry budget is taken.
    var hasRetryPlace = false
    /// The next try takes no place: for want of a connection the request goes to another endpoint, to which it is the first.
    var movesOn = false
    var retries = 0
    /// Where the endpoint of now, or of the last try, stood in the cluster when it was chosen.
    var endpoint: Int?
    /// The connections to the endpoint that has failed last.
    var failedPool: EndpointPool?
    var pause: Scheduled<Void>?
}

extension ExchangeDriver {
    // MARK: Connections

    /// Asks for a connection for the first time.
    func acquire() {
        guard let cluster else { return }
        let now = NIODeadline.now()
        cluster.budget.beginCall()
        attempts.isCounted = true
        switch withBreaker(of: cluster, { $0.admit(at: now.sinceBoot) }) {
        case .admitted(let permit):
            attempts.permit = permit
            acquireFromCluster(now)
        case .refused:
            loop.report(.refusedByBreaker, of: cluster.cluster.name)
            upstreamUnavailable(.circuitOpen)
        }
    }

    /// Asks again after a pause, another endpoint if there is one.
    func acquireAfterPause() {
        guard let cluster else { return }
        if !attempts.hasRetryPlace, !attempts.movesOn { attempts.hasRetryPlace = cluster.budget.beginRetry() }
        attempts.retries += 1
        attempts.failedPool = pool
        loop.report(.retried, of: cluster.cluster.name)
        // While the pause lasts, the clock of the whole exchange runs, no other.
        client.setDeadline(totalDeadline)
        let pause = TimeAmount(pauseLimit * loop.identifiers.nextFraction())
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        attempts.pause = loop.eventLoop.scheduleTask(in: pause) {
            let driver = bound.value
            driver.attempts.pause = nil
            driver.acquireFromCluster(.now())
            driver.flush()
        }
    }

    private var pauseLimit: Duration {
        let retries = route?.route.retries ?? .none
        return Backoff(first: Duration(retries.firstPause), longest: Duration(retries.longestPause)).limit(beforeRetry: attempts.retries)
    }

    private func acquireFromCluster(_ now: NIODeadline) {
        guard let cluster else { return }
        let avoided = attempts.failedPool.flatMap { cluster.index(of: $0, last: attempts.endpoint ?? 0) }
        guard let index = cluster.choose(key: hashKey(cluster), avoiding: avoided, now: now, random: { loop.identifiers.next() }) else {
            upstreamUnavailable(.noEndpoint)
            return
        }
        attempts.endpoint = index
        pool = cluster.pools[index]
        acquireFromPool(needsFresh: false)
    }

    func acquireFromPool(needsFresh: Bool) {
        guard let pool else { return }
        switch pool.acquire(for: self, needsFresh: needsFresh) {
        case .connection(let connection):
            upstream = connection
            handle(.upstreamReady(reused: true))
        case .waiting:
            // Even a route without a total timeout does not stand in line for ever.
            setUpstreamDeadline()
        case .refused(let failure): upstreamUnavailable(failure)
        }
    }

    func cancelAcquire() {
        attempts.pause?.cancel()
        attempts.pause = nil
        pool?.cancel(self)
    }

    private func hashKey(_ cluster: LoopCluster) -> UInt64 {
        guard case .consistentHash(let key) = cluster.cluster.balancing else { return 0 }
        return switch key {
        case .address: HashRanking.hash(context.clientAddress.utf8)
        case .user: HashRanking.hash((context.user ?? context.clientAddress).utf8)
        case .path: context.head.withPathBytes { HashRanking.hash($0) }
        case .header(let name): context.head.withFirst(name) { HashRanking.hash($0) } ?? HashRanking.hash(context.clientAddress.utf8)
        }
    }

    // MARK: How it went

    func upstreamReady(_ connection: UpstreamConnection, reused: Bool) {
        upstream = connection
        handle(.upstreamReady(reused: reused))
        flush()
    }

    func upstreamUnavailable(_ failure: ProxyFailure) {
        if failure.isConnectFailure {
            blameEndpoint()
            if let name = pool?.endpoint.name { loop.lookUpAgain?(name) }
        }
        // The budget keeps retries from burdening what is down. A request that was never sent burdens nobody twice when it goes elsewhere, and
        // when an endpoint dies all its requests have to, at once.
        attempts.movesOn = failure.isConnectFailure && hasOtherEndpoint
        handle(.upstreamUnavailable(failure, mayRetry: failure.isConnectFailure && (attempts.movesOn || hasRetryPlace)))
    }

    func upstreamClosed(silent: Bool) {
        attempts.movesOn = false
        handle(.upstreamClosed(silent: silent, mayRetry: hasRetryPlace))
    }

    private var hasOtherEndpoint: Bool {
        guard let cluster, let pool else { return false }
        return cluster.hasOther(than: pool)
    }

    /// Where the endpoint stands now: others may have come and gone. Nil when it has gone itself, and nobody wants to know how it did.
    private var endpointIndex: Int? {
        guard let cluster, let pool, let last = attempts.endpoint else { return nil }
        return cluster.index(of: pool, last: last)
    }

    /// Whether the budget allows this exchange another try.
    private var hasRetryPlace: Bool { attempts.hasRetryPlace || cluster?.budget.hasRoom ?? false }

    /// Whether a response with this head is worth another try. A service that says when to come back is not to be asked before.
    func mayRetry(_ head: ResponseHead) -> Bool {
        attempts.movesOn = false
        guard head.status >= 500, let retries = route?.route.retries, retries.statuses.contains(head.status) else { return false }
        return hasRetryPlace && !head.has("retry-after")
    }

    func blameEndpoint() {
        guard let cluster, let endpoint = endpointIndex else { return }
        guard let change = cluster.health.failed(endpoint, now: .now()) else { return }
        loop.report(ProxyIncident(change, of: cluster.pools[endpoint].endpoint), of: cluster.cluster.name)
    }

    /// The endpoint has begun an answer.
    func judgeEndpoint(by head: ResponseHead) {
        guard let endpoint = endpointIndex else { return }
        if head.status >= 500 { blameEndpoint() } else { cluster?.health.succeeded(endpoint) }
    }

    /// Tells the breaker the outcome, if it is still to be told.
    func tellBreaker(_ outcome: CircuitBreaker.Outcome) {
        guard let permit = attempts.permit, let cluster else { return }
        attempts.permit = nil
        withBreaker(of: cluster) { $0.record(outcome, for: permit, at: NIODeadline.now().sinceBoot) }
    }

    /// Reports when `body` has made the breaker open, half-open or close.
    private func withBreaker<Result>(of cluster: LoopCluster, _ body: (inout CircuitBreaker) -> Result) -> Result {
        let (result, change) = cluster.breaker.noticingChange(body)
        if let change { loop.report(ProxyIncident(change), of: cluster.cluster.name) }
        return result
    }

    /// Gives back what is held of the cluster's.
    func leaveCluster() {
        tellBreaker(failure?.breakerOutcome ?? .abandoned)
        guard let cluster, attempts.isCounted else { return }
        attempts.isCounted = false
        giveBackRetryPlace()
        cluster.budget.endCall()
    }

    /// The retry is over: it has led to a response, or to nothing.
    func giveBackRetryPlace() {
        guard attempts.hasRetryPlace else { return }
        attempts.hasRetryPlace = false
        cluster?.budget.endRetry()
    }
}

extension ProxyFailure {
    /// There was not even a connection.
    var isConnectFailure: Bool { self == .connectFailed || self == .connectTimeout }

    /// What it says of the cluster. Neither a full line nor the client's own doing says that it does not work.
    fileprivate var breakerOutcome: CircuitBreaker.Outcome {
        switch self {
        case .connectFailed, .connectTimeout: .connectFailure
        case .upstreamClosed, .upstreamMalformed, .upstreamTimeout: .failure
        default: .abandoned
        }
    }
}

extension CircuitBreaker.Outcome {
    /// 502 and 504 are a gateway's words for no answer. Other errors are answers: a breaker that opened for a service that refuses some requests
    /// because it is busy (503) would refuse the rest, too.
    init(status: Int) {
        self = status == 502 || status == 504 ? .failure : .success
    }
}

extension CircuitBreaker {
    /// What `body` gives, and the phase that it has brought about. In one call on the breaker in its place: looked at from outside, it would be copied.
    fileprivate mutating func noticingChange<Result>(_ body: (inout Self) -> Result) -> (Result, Phase?) {
        let before = phase
        let result = body(&self)
        return (result, phase == before ? nil : phase)
    }
}
