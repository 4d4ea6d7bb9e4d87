@testable import HTTPProxy

/// Watches an exchange from outside and knows only what it is told and what it does. It keeps the world's side (what can happen next) and
/// the promises (what must never happen), and shares no code with the exchange.
struct ExchangeWitness: Hashable {
    enum Violation: Error, Hashable {
        case broken(String)
    }

    private enum Link: Hashable {
        case none
        case wanted(fresh: Bool)
        case lent(reused: Bool)
        /// A stored response is given in place of an upstream's.
        case stored
    }

    let isRepeatable: Bool
    let retries: Int
    let keepsClient: Bool

    // The world.
    private(set) var decided = false
    private var requestEnded = false
    private var requestBroken = false
    private var halfClosed = false
    private var clientWritable = true
    private var upstreamWritable = true
    private var link = Link.none
    private var gotBytes = false
    private var gotHead: Bool?
    private var gotEnd = false

    // What was done.
    /// A piece came, and all that came is kept.
    private var holds = false
    /// A piece came that is not kept any more.
    private var lostBody = false
    /// Something is kept that the connection of now was not sent.
    private var holdsUnsent = false
    private var everSent = false
    private var isTunnel = false
    private var sentHead = false
    private var sentEnd = false
    private var replacedStale = false
    private var retried = 0
    private var wroteHead = false
    private var wroteEnd = false
    private var pausedClient = false
    private var pausedUpstream = false
    private(set) var finished = false

    init(isRepeatable: Bool, retries: Int, keepsClient: Bool) {
        self.isRepeatable = isRepeatable
        self.retries = retries
        self.keepsClient = keepsClient
    }

    private var isLent: Bool { if case .lent = link { true } else { false } }
    private var isResponding: Bool { isLent || link == .stored }

    /// Everything the world could do next.
    var possibleEvents: [ExchangeEvent] {
        var events: [ExchangeEvent] = [.clientGone, .timeout, .clientWritable(!clientWritable)]
        if !decided { events += [.forward, .answer, .refuse(.notFound)] }
        if !decided, requestEnded, !requestBroken { events.append(.replay) }
        if !requestEnded, !requestBroken, !pausedClient {
            events += [.requestBody(fits: true), .requestBody(fits: false), .requestEnd, .requestInvalid(.bodyTooLarge)]
        }
        if !halfClosed, !pausedClient { events.append(.clientHalfClosed) }
        switch link {
        case .none: break
        case .stored: events += [.responseBody, .responseEnd(isReusable: false)]
        case .wanted(let fresh):
            events += [
                .upstreamReady(reused: false), .upstreamUnavailable(.connectFailed, mayRetry: true),
                .upstreamUnavailable(.upstreamBusy, mayRetry: false),
            ]
            if !fresh { events.append(.upstreamReady(reused: true)) }
        case .lent:
            events += [
                .upstreamClosed(silent: !gotBytes, mayRetry: true), .upstreamClosed(silent: !gotBytes, mayRetry: false), .upstreamInvalid,
                .upstreamWritable(!upstreamWritable),
            ]
            // Also while its reading is paused: bytes that were read before still come through.
            guard !gotEnd else { break }
            if gotHead == nil {
                events += [
                    .responseSwitch,
                    .responseInformational, .responseHead(keepsAlive: true, mayRetry: false),
                    .responseHead(keepsAlive: false, mayRetry: false), .responseHead(keepsAlive: true, mayRetry: true),
                ]
            } else {
                events += [.responseBody, .responseEnd(isReusable: false)]
                if !isTunnel { events.append(.responseEnd(isReusable: true)) }
            }
        }
        return events
    }

    /// Takes in one event and what the exchange did about it.
    mutating func observe(_ event: ExchangeEvent, _ reaction: ExchangeReaction) throws(Violation) {
        if finished {
            try require(reaction.actions.isEmpty, "nothing is done after the end")
            return
        }
        let wasLent = link
        let hadBytes = gotBytes
        note(event)
        try checkAcquiring(reaction.actions, event, wasLent, hadBytes: hadBytes)
        try checkSending(reaction.actions, event)
        try checkClient(reaction)
        try checkFlow(reaction.actions)
        try checkEnd(reaction.actions)
    }

    private mutating func note(_ event: ExchangeEvent) {
        switch event {
        case .forward, .answer, .refuse: decided = true
        case .replay: (decided, link, gotHead) = (true, .stored, false)
        case .requestEnd: requestEnded = true
        case .requestInvalid: requestBroken = true
        case .clientHalfClosed:
            halfClosed = true
            if isTunnel { requestEnded = true } else if !requestEnded { requestBroken = true }
        case .clientWritable(let writable): clientWritable = writable
        case .upstreamWritable(let writable): upstreamWritable = writable
        case .upstreamReady(let reused):
            link = .lent(reused: reused)
            (gotBytes, gotHead, gotEnd, upstreamWritable, sentHead, sentEnd) = (false, nil, false, true, false, false)
        case .upstreamUnavailable: link = .none
        case .responseInformational: gotBytes = true
        case .responseHead(let keepsAlive, _): (gotBytes, gotHead) = (true, keepsAlive)
        case .responseSwitch: (gotBytes, gotHead) = (true, false)
        case .responseEnd(let isReusable): (gotEnd, gotHead) = (true, gotHead.map { $0 && isReusable })
        default: break
        }
    }

    private mutating func checkAcquiring(
        _ actions: ExchangeActions, _ event: ExchangeEvent, _ wasLent: Link, hadBytes: Bool
    ) throws(Violation) {
        if actions.contains(.cancelAcquire) {
            guard case .wanted = link else { throw .broken("only what is waited for is cancelled") }
            link = .none
        }
        if actions.contains(.closeUpstream) {
            try require(isLent, "only a lent connection is closed")
            link = .none
        }
        if actions.contains(.acquire) {
            try require(event == .forward && link == .none, "a connection is wanted when the policies let the request pass")
            link = .wanted(fresh: false)
        }
        if actions.contains(.acquireFresh) {
            try require(wasLent == .lent(reused: true), "only a reused connection can be stale")
            try require(!replacedStale && !hadBytes, "a stale connection is replaced once, before any byte")
            try require(!actions.contains(.blameEndpoint), "nobody is to blame for a stale connection")
            replacedStale = true
            try again(fresh: true)
        }
        if actions.contains(.acquireAfterPause) {
            try require(allowsRetry(event), "only what may pass is tried again, and only with budget")
            retried += 1
            try require(retried <= retries, "no more retries than allowed")
            try again(fresh: false)
        }
    }

    private mutating func again(fresh: Bool) throws(Violation) {
        try require(link == .none && !wroteHead && !lostBody, "nothing is repeated once a response began or a piece of body is gone")
        try require(isRepeatable || !everSent, "what was sent is only sent again when that is harmless")
        (link, sentHead, sentEnd, holdsUnsent) = (.wanted(fresh: fresh), false, false, holds)
        (gotBytes, gotHead, gotEnd) = (false, nil, false)
    }

    private func allowsRetry(_ event: ExchangeEvent) -> Bool {
        switch event {
        case .upstreamUnavailable(_, let mayRetry), .upstreamClosed(_, let mayRetry), .responseHead(_, let mayRetry): mayRetry
        default: false
        }
    }

    private mutating func checkSending(_ actions: ExchangeActions, _ event: ExchangeEvent) throws(Violation) {
        if case .upstreamReady = event {
            try require(actions.contains(.sendRequestHead), "a connection is used at once")
            try require(actions.contains(.sendHeldBody) == holdsUnsent, "what is held goes out with the head")
        }
        if actions.contains(.sendRequestHead) {
            try require(isLent && !sentHead, "one request head to a connection")
            (sentHead, everSent) = (true, true)
        }
        if case .requestBody = event {
            try require(!actions.isDisjoint(with: [.holdBody, .sendRequestBody]), "no piece of the body is lost")
            if !actions.contains(.holdBody) { lostBody = true }
        }
        if actions.contains(.holdBody) {
            try require(!holdsUnsent && !lostBody, "at most one piece is held unsent, and none after one is gone")
            holds = true
            if !actions.contains(.sendRequestBody) { holdsUnsent = true }
        }
        if actions.contains(.sendHeldBody) {
            try require(isLent && sentHead && holds && holdsUnsent && !sentEnd, "what is held follows the head")
            holdsUnsent = false
        }
        if actions.contains(.sendRequestBody) {
            try require(isLent && sentHead && !holdsUnsent && !sentEnd, "body goes after the head, in order, before the end")
        }
        if actions.contains(.dropHeldBody) {
            try require(holds && (!holdsUnsent || event == .replay), "only what was sent, or never will be, is let go of")
            (holds, holdsUnsent, lostBody) = (false, false, true)
        }
        if actions.contains(.sendRequestEnd) {
            try require(isLent && sentHead && !holdsUnsent && !sentEnd && requestEnded, "the end is sent once, after all else")
            sentEnd = true
        }
        if actions.contains(.releaseUpstream) {
            try require(isLent && sentEnd && gotEnd && gotHead == true, "only a connection that is clean on both sides is used again")
            link = .none
        }
    }

    private mutating func checkClient(_ reaction: ExchangeReaction) throws(Violation) {
        let actions = reaction.actions
        if actions.contains(.writeInformational) { try require(!wroteHead, "no interim response after the final one") }
        if actions.contains(.writeResponseHead) {
            try require(!wroteHead, "one response head")
            try require(!holds, "nothing is kept that cannot be of use")
            wroteHead = true
        }
        if actions.contains(.writeSwitch) {
            try require(!wroteHead && requestEnded && sentEnd, "who switches has heard all of the request")
            (wroteHead, isTunnel, requestEnded, sentEnd) = (true, true, false, false)
        }
        if actions.contains(.writeResponseBody) { try require(wroteHead && !wroteEnd, "body lies between head and end") }
        if actions.contains(.writeResponseEnd) {
            try require(wroteHead && !wroteEnd && gotEnd, "the end comes once, and only with the upstream's own")
            wroteEnd = true
        }
        if actions.contains(.writeAnswer) {
            try require(!wroteHead, "no answer of the proxy's own after a response head")
            (wroteHead, wroteEnd) = (true, true)
        }
    }

    private mutating func checkFlow(_ actions: ExchangeActions) throws(Violation) {
        if actions.contains(.pauseClient) {
            try require(!pausedClient, "paused once")
            pausedClient = true
        }
        if actions.contains(.resumeClient) {
            try require(pausedClient, "resumed only when paused")
            pausedClient = false
        }
        if actions.contains(.pauseUpstream) {
            try require(!pausedUpstream && isResponding, "paused once, while there is something to pause")
            pausedUpstream = true
        }
        if actions.contains(.resumeUpstream) {
            try require(pausedUpstream, "resumed only when paused")
            pausedUpstream = false
        }
        if !isResponding {
            // A released connection must be readable for its next borrower; a closed one no longer matters.
            if actions.contains(.releaseUpstream) { try require(!pausedUpstream, "a connection is given back reading") }
            pausedUpstream = false
        }
        guard actions.isDisjoint(with: .finish) else { return }
        if isLent, !upstreamWritable, !requestEnded {
            try require(pausedClient, "the client is not read while the upstream cannot be written")
        }
        if holdsUnsent, !requestEnded { try require(pausedClient, "the client is not read while a piece is held") }
        if isResponding, !clientWritable { try require(pausedUpstream, "the upstream is not read while the client cannot be written") }
        if isResponding, clientWritable { try require(!pausedUpstream, "the upstream is read while the client can be written") }
        if isLent, upstreamWritable, !holdsUnsent { try require(!pausedClient, "the client is read while the upstream can be written") }
    }

    private mutating func checkEnd(_ actions: ExchangeActions) throws(Violation) {
        let ends = actions.intersection(.finish)
        guard !ends.isEmpty else { return }
        finished = true
        if link == .stored { link = .none }
        try require([.finishKeepingClient, .finishClosingClient, .finishCuttingClient].contains(ends), "one ending")
        try require(link == .none, "no upstream connection outlives its exchange")
        try require(!pausedClient, "the client's connection is left reading")
        if ends == .finishCuttingClient {
            try require(!wroteEnd, "a complete response is not cut")
        } else {
            try require(wroteHead && wroteEnd, "without a complete response the connection is cut")
        }
        if ends == .finishKeepingClient {
            try require(!isTunnel, "after a switch there is no next request")
            try require(keepsClient && requestEnded && !requestBroken && !halfClosed, "kept only when both sides are complete")
        }
    }

    private func require(_ holds: Bool, _ promise: String) throws(Violation) {
        if !holds { throw .broken(promise) }
    }
}
