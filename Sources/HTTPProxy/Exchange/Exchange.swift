// The exchange: one request, one response, and everything that can go wrong between them.
//
// Two connections take part, and either can end, fall silent, stop reading or misbehave at any moment. All decisions about that are made
// here, by a value that has no socket, no clock and no bytes: it is told what happened and returns what to do. The driver
// (`ExchangeDriver`) executes; it decides nothing. So every order of events can be tried in a test, and is.
//
// The request goes   receiving → received           (or → broken, when it can never be complete)
// The upstream goes  deciding → acquiring → active → gone, or from deciding to replaying and gone
// The response goes  awaited → streaming → ended
//
//   deciding    policies run, or a local handler works; a body that arrives meanwhile is held: one piece, then reading pauses
//   acquiring   the pool looks for a connection, after a pause if one was lost; the body is still held
//   active      the request's head was sent; its body is passed on as it comes, and held, too, as long as the request may be repeated
//   replaying   a stored response stands for the upstream's; there is no connection
//   gone        released, closed, or never needed
//
// Rules
//
// 1. The client sees one final response head, or its connection ends without one. Once a response head is written nothing else can be
//    said, so a failure after it cuts the connection; a chunked or counted body that stops short tells the client.
// 2. A connection goes back to the pool only when its request was sent to the end, its response was read to the end, and the upstream
//    keeps it alive. In every other case it is closed: an unread rest would be taken for the next response.
// 3. The client's connection is kept only when its request was read to the end and the response was written to the end.
// 4. A request is sent again only while no response has begun and all of its body that has come is still held. If it was never sent, for want of
//    a connection, that needs nothing more. If it was, it must also be repeatable: idempotent, or with a key by which the service knows it
//    again; then it is repeated when the upstream ended or answered that it cannot. The driver says whether there is budget left
//    (`mayRetry`), the number of tries is counted here. Besides, a reused connection may have been closed by the upstream while our request
//    was on its way; if it ends before a single byte, the request goes out once more, at once, on a new connection. That is no failure
//    of the upstream's and takes nothing from the budget.
// 5. Who cannot write stops the other from reading: the client is not read while the upstream's buffer is full or a piece of body
//    is held, the upstream is not read while the client's buffer is full. Memory per exchange is so bounded.
// 6. When the upstream switches protocols (101), request and response become two streams of bytes (a tunnel). Either side may end its own: the
//    client's end is passed on, the upstream's ends the exchange. Neither connection is used again.
// 7. After the exchange is finished, every event is ignored.

/// The lifecycle of one request and its response.
struct Exchange: Hashable, Sendable {
    private enum Request: Hashable, Sendable {
        case receiving
        case received
        case broken
    }

    private enum Upstream: Hashable, Sendable {
        case deciding
        case acquiring
        case active(reused: Bool)
        case replaying
        case gone
    }

    private enum Response: Hashable, Sendable {
        case awaited
        case streaming(keepsAlive: Bool)
        case ended
    }

    private var isRepeatable = false
    private var retriesLeft = 0
    private var keepsClient: Bool
    private var request = Request.receiving
    private var upstream = Upstream.deciding
    private var response = Response.awaited
    private var body = HeldBody()
    private var sentEnd = false
    private var isTunnel = false
    private var replacedStale = false
    private var clientWritable: Bool
    private var upstreamWritable = true
    private var pausedClient = false
    private var pausedUpstream = false
    private(set) var isFinished = false

    /// What the driver keeps of the request's body.
    private struct HeldBody: Hashable, Sendable {
        /// Something is held.
        var isThere = false
        /// All that has come so far is held.
        var isWhole = true
        /// What is held has not gone to the connection of now.
        var isUnsent = false
    }

    /// - Parameters:
    ///   - keepsClient: the client wants its connection kept open afterwards.
    ///   - clientWritable: the client's connection can be written to at the start.
    init(keepsClient: Bool, clientWritable: Bool = true) {
        self.keepsClient = keepsClient
        self.clientWritable = clientWritable
    }

    /// Says whether the request may be sent again, once that is known.
    /// - Parameters:
    ///   - retries: how often, besides the once for a stale connection.
    ///   - isRepeatable: sending it twice has the effect of sending it once.
    mutating func allowRetries(_ retries: Int, isRepeatable: Bool) {
        guard upstream == .deciding else { return }
        retriesLeft = retries
        self.isRepeatable = isRepeatable
    }

    /// The request is with the upstream, complete, and nothing has come back yet.
    var awaitsFirstByte: Bool { sentEnd && response == .awaited }

    mutating func handle(_ event: ExchangeEvent) -> ExchangeReaction {
        guard !isFinished else { return ExchangeReaction() }
        var reaction = react(to: event)
        if !isFinished { reconcileReading(&reaction.actions) }
        return reaction
    }

    private mutating func react(to event: ExchangeEvent) -> ExchangeReaction {
        switch event {
        case .forward:
            guard upstream == .deciding else { return ExchangeReaction() }
            upstream = .acquiring
            return ExchangeReaction(actions: .acquire)
        case .answer:
            return upstream == .deciding ? answer(nil) : ExchangeReaction()
        case .refuse(let failure):
            return upstream == .deciding ? answer(failure) : ExchangeReaction()
        case .replay: return replay()
        case .requestBody(let fits): return requestBody(fits: fits)
        case .requestEnd: return requestEnd()
        case .requestInvalid(let failure):
            guard request == .receiving else { return ExchangeReaction() }
            request = .broken
            return fail(failure)
        case .clientHalfClosed: return clientHalfClosed()
        case .clientGone:
            return ExchangeReaction(actions: dropUpstream().union(finish(.finishCuttingClient)))
        case .clientWritable(let writable):
            clientWritable = writable
            return ExchangeReaction()
        case .upstreamWritable(let writable):
            upstreamWritable = writable
            return ExchangeReaction()
        case .upstreamReady(let reused): return upstreamReady(reused: reused)
        case .upstreamUnavailable(let failure, let mayRetry):
            return upstream == .acquiring ? unavailable(failure, mayRetry: mayRetry) : ExchangeReaction()
        case .upstreamClosed(let silent, let mayRetry): return upstreamClosed(silent: silent, mayRetry: mayRetry)
        case .upstreamInvalid: return isActive ? fail(.upstreamMalformed, blaming: true) : ExchangeReaction()
        case .responseInformational:
            return ExchangeReaction(actions: isActive && response == .awaited ? .writeInformational : [])
        case .responseHead(let keepsAlive, let mayRetry): return responseHead(keepsAlive: keepsAlive, mayRetry: mayRetry)
        case .responseSwitch: return responseSwitch()
        case .responseBody:
            guard isResponding, case .streaming = response else { return ExchangeReaction() }
            return ExchangeReaction(actions: .writeResponseBody)
        case .responseEnd(let isReusable): return responseEnd(isReusable: isReusable)
        case .timeout: return fail(timeoutFailure, blaming: awaitsFirstByte)
        }
    }

    private var isActive: Bool {
        if case .active = upstream { true } else { false }
    }

    /// There is somebody whose response goes to the client.
    private var isResponding: Bool { isActive || upstream == .replaying }
}

// MARK: The request's side

extension Exchange {
    private mutating func requestBody(fits: Bool) -> ExchangeReaction {
        guard request == .receiving else { return ExchangeReaction() }
        guard isActive else {
            (body.isThere, body.isUnsent) = (true, true)
            return ExchangeReaction(actions: .holdBody)
        }
        guard canRepeat, retriesLeft > 0 || !replacedStale, fits else {
            return ExchangeReaction(actions: dropBody().union(.sendRequestBody))
        }
        body.isThere = true
        return ExchangeReaction(actions: [.sendRequestBody, .holdBody])
    }

    /// From here on the request cannot be sent again.
    private mutating func dropBody() -> ExchangeActions {
        defer { (body.isThere, body.isWhole) = (false, false) }
        return body.isThere ? .dropHeldBody : []
    }

    private mutating func requestEnd() -> ExchangeReaction {
        guard request == .receiving else { return ExchangeReaction() }
        request = .received
        guard isActive else { return ExchangeReaction() }
        sentEnd = true
        return ExchangeReaction(actions: .sendRequestEnd)
    }

    /// A client that has sent its whole request may close its sending side and wait for the response. One that has not will never
    /// complete it.
    private mutating func clientHalfClosed() -> ExchangeReaction {
        keepsClient = false
        guard request == .receiving else { return ExchangeReaction() }
        if isTunnel { return requestEnd() }
        request = .broken
        return fail(.requestTruncated)
    }
}

// MARK: The upstream's side

extension Exchange {
    private mutating func upstreamReady(reused: Bool) -> ExchangeReaction {
        guard upstream == .acquiring else { return ExchangeReaction() }
        upstream = .active(reused: reused)
        upstreamWritable = true
        pausedUpstream = false
        var actions: ExchangeActions = .sendRequestHead
        if body.isUnsent {
            body.isUnsent = false
            actions.insert(.sendHeldBody)
            if !isRepeatable { actions.formUnion(dropBody()) }
        }
        if request == .received {
            sentEnd = true
            actions.insert(.sendRequestEnd)
        }
        return ExchangeReaction(actions: actions)
    }

    private var canRepeat: Bool { isRepeatable && body.isWhole && response == .awaited }

    private mutating func upstreamClosed(silent: Bool, mayRetry: Bool) -> ExchangeReaction {
        guard case .active(let reused) = upstream else { return ExchangeReaction() }
        if canRepeat, silent, reused, !replacedStale {
            replacedStale = true
            return acquireAgain(.acquireFresh)
        }
        if canRepeat, mayRetry, retriesLeft > 0 {
            retriesLeft -= 1
            return acquireAgain([.blameEndpoint, .acquireAfterPause])
        }
        return fail(.upstreamClosed, blaming: true)
    }

    private mutating func acquireAgain(_ how: ExchangeActions) -> ExchangeReaction {
        let dropped = dropUpstream()
        upstream = .acquiring
        sentEnd = false
        body.isUnsent = body.isThere
        return ExchangeReaction(actions: dropped.union(how))
    }

    private mutating func unavailable(_ failure: ProxyFailure, mayRetry: Bool) -> ExchangeReaction {
        guard mayRetry, retriesLeft > 0 else {
            upstream = .gone
            return answer(failure)
        }
        retriesLeft -= 1
        return ExchangeReaction(actions: .acquireAfterPause)
    }

    private mutating func responseHead(keepsAlive: Bool, mayRetry: Bool) -> ExchangeReaction {
        guard isActive, response == .awaited else { return ExchangeReaction() }
        if canRepeat, mayRetry, retriesLeft > 0 {
            retriesLeft -= 1
            return acquireAgain(.acquireAfterPause)
        }
        response = .streaming(keepsAlive: keepsAlive)
        return ExchangeReaction(actions: dropBody().union(.writeResponseHead))
    }

    /// A request that is not complete would have to be read to its end first; nothing of that kind is stored.
    private mutating func replay() -> ExchangeReaction {
        guard upstream == .deciding, request == .received else { return ExchangeReaction() }
        upstream = .replaying
        body.isUnsent = false
        response = .streaming(keepsAlive: false)
        return ExchangeReaction(actions: dropBody().union(.writeResponseHead))
    }

    private mutating func responseSwitch() -> ExchangeReaction {
        guard isActive, response == .awaited else { return ExchangeReaction() }
        // Who asks for a switch has said all that is HTTP.
        guard request == .received, sentEnd else { return fail(.upstreamMalformed, blaming: true) }
        (isTunnel, keepsClient, request, sentEnd) = (true, false, .receiving, false)
        response = .streaming(keepsAlive: false)
        return ExchangeReaction(actions: dropBody().union(.writeSwitch))
    }

    private mutating func responseEnd(isReusable: Bool) -> ExchangeReaction {
        guard isResponding, case .streaming(let keepsAlive) = response else { return ExchangeReaction() }
        response = .ended
        var actions: ExchangeActions = .writeResponseEnd
        if keepsAlive, isReusable, sentEnd {
            upstream = .gone
            actions.insert(.releaseUpstream)
            if pausedUpstream { actions.insert(.resumeUpstream) }
        } else {
            actions.formUnion(dropUpstream())
        }
        return ExchangeReaction(
            actions: actions.union(finish(keepsClient && request == .received ? .finishKeepingClient : .finishClosingClient)))
    }

    private mutating func dropUpstream() -> ExchangeActions {
        defer { upstream = .gone }
        return switch upstream {
        case .deciding, .replaying, .gone: []
        case .acquiring: .cancelAcquire
        case .active: .closeUpstream
        }
    }
}

// MARK: Endings

extension Exchange {
    /// Who is to blame that it took so long: a pool without a free connection, a client that could send and did not, or the upstream.
    private var timeoutFailure: ProxyFailure {
        if upstream == .acquiring { return .upstreamBusy }
        return request == .receiving && !pausedClient ? .requestTimeout : .upstreamTimeout
    }

    /// The upstream is of no more use. Before a response head the client is told why; after one its connection is cut.
    ///
    /// - Parameter blaming: it is the endpoint's doing.
    private mutating func fail(_ failure: ProxyFailure, blaming: Bool = false) -> ExchangeReaction {
        let dropped = dropUpstream().union(blaming ? .blameEndpoint : [])
        var reaction: ExchangeReaction
        if response == .awaited {
            reaction = answer(failure)
        } else {
            reaction = ExchangeReaction(actions: finish(.finishCuttingClient), failure: failure)
        }
        reaction.actions.formUnion(dropped)
        return reaction
    }

    private mutating func answer(_ failure: ProxyFailure?) -> ExchangeReaction {
        upstream = .gone
        response = .ended
        let end = finish(keepsClient && request == .received ? .finishKeepingClient : .finishClosingClient)
        return ExchangeReaction(actions: end.union(.writeAnswer), failure: failure)
    }

    /// Whoever drives the client's connection wants it read again afterwards, if only to see the end of it.
    private mutating func finish(_ how: ExchangeActions) -> ExchangeActions {
        isFinished = true
        guard pausedClient else { return how }
        pausedClient = false
        return how.union(.resumeClient)
    }

    private mutating func reconcileReading(_ actions: inout ExchangeActions) {
        let pausesClient = request == .receiving && (body.isUnsent || (isActive && !upstreamWritable))
        if pausesClient != pausedClient {
            pausedClient = pausesClient
            actions.insert(pausesClient ? .pauseClient : .resumeClient)
        }
        let pausesUpstream = isResponding && !clientWritable
        if isResponding, pausesUpstream != pausedUpstream {
            pausedUpstream = pausesUpstream
            actions.insert(pausesUpstream ? .pauseUpstream : .resumeUpstream)
        }
    }
}
