/// What can happen to an exchange. Bytes and heads stay with the driver; the machine only hears that they are there.
enum ExchangeEvent: Hashable, Sendable {
    /// The policies let the request pass: it goes to an upstream.
    case forward
    /// A complete local response is ready: a policy's refusal, a fixed response, a local handler's answer.
    case answer
    /// The request cannot be served; the proxy must say so.
    case refuse(ProxyFailure)
    /// A stored response is there. Its head goes to the client at once, its body and end come as an upstream's would.
    case replay

    /// A piece of the request's body was decoded. `fits`: with it, no more would be held than may be kept for a repetition.
    case requestBody(fits: Bool)
    case requestEnd
    /// The request's body is not what its framing promised, or is too long.
    case requestInvalid(ProxyFailure)
    /// The client will send no more, but may still read.
    case clientHalfClosed
    case clientGone
    case clientWritable(Bool)

    /// A connection to an upstream is lent to this exchange.
    case upstreamReady(reused: Bool)
    /// No connection could be had. `mayRetry`, here and below: this is a failure that may pass, and there is budget for another try.
    case upstreamUnavailable(ProxyFailure, mayRetry: Bool)
    case responseInformational
    case responseHead(keepsAlive: Bool, mayRetry: Bool)
    /// The upstream has switched to the protocol that the request asked for (101): from here on both bodies are plain bytes without an end of
    /// their own.
    case responseSwitch
    case responseBody
    /// `isReusable`: nothing stands behind the response that should not be there.
    case responseEnd(isReusable: Bool)
    /// The connection ended before the response did. `silent`: not one byte of a response had come.
    case upstreamClosed(silent: Bool, mayRetry: Bool)
    /// The upstream sent something that is not a response.
    case upstreamInvalid
    case upstreamWritable(Bool)

    /// The first byte of the response, or its end, did not come in time.
    case timeout
}

/// What the driver must do, in the order of the bits.
struct ExchangeActions: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    // Towards the upstream.
    /// What went wrong is to be held against the endpoint.
    static let blameEndpoint = Self(rawValue: 1 << 0)
    /// Give up waiting for an upstream connection, or for the end of a pause.
    static let cancelAcquire = Self(rawValue: 1 << 1)
    /// Close the upstream connection: what is on it can not be trusted to end where we think it does.
    static let closeUpstream = Self(rawValue: 1 << 2)
    /// Ask the pool for a connection, an idle one if there is one.
    static let acquire = Self(rawValue: 1 << 3)
    /// Ask the same pool for a newly opened connection, at once.
    static let acquireFresh = Self(rawValue: 1 << 4)
    /// Ask for a connection again, to another endpoint if there is one, after a pause.
    static let acquireAfterPause = Self(rawValue: 1 << 5)
    static let sendRequestHead = Self(rawValue: 1 << 6)
    /// Keep this piece of the body, after those that are kept.
    static let holdBody = Self(rawValue: 1 << 7)
    /// Send all that is kept of the body, and keep it.
    static let sendHeldBody = Self(rawValue: 1 << 8)
    static let sendRequestBody = Self(rawValue: 1 << 9)
    /// Keep nothing of the body any more.
    static let dropHeldBody = Self(rawValue: 1 << 10)
    static let sendRequestEnd = Self(rawValue: 1 << 11)

    // Towards the client.
    static let writeInformational = Self(rawValue: 1 << 12)
    static let writeResponseHead = Self(rawValue: 1 << 13)
    static let writeResponseBody = Self(rawValue: 1 << 14)
    static let writeResponseEnd = Self(rawValue: 1 << 15)
    /// Tell the client that the protocol is switched, and take what it sends from now on as it is.
    static let writeSwitch = Self(rawValue: 1 << 16)
    /// Write the local response, head and body: the prepared one, or the problem document of the reaction's failure.
    static let writeAnswer = Self(rawValue: 1 << 17)

    // Flow.
    static let pauseClient = Self(rawValue: 1 << 18)
    static let resumeClient = Self(rawValue: 1 << 19)
    /// Here and below: the connection, or whatever the response comes from.
    static let pauseUpstream = Self(rawValue: 1 << 20)
    static let resumeUpstream = Self(rawValue: 1 << 21)

    // The end: exactly one of the last three, once.
    /// Give the upstream connection back to the pool.
    static let releaseUpstream = Self(rawValue: 1 << 22)
    /// The exchange is over and the client's connection can take another request.
    static let finishKeepingClient = Self(rawValue: 1 << 23)
    /// The exchange is over; close the client's connection after what was written has left.
    static let finishClosingClient = Self(rawValue: 1 << 24)
    /// The exchange is over; cut the client's connection now, so that it sees that its response is not complete.
    static let finishCuttingClient = Self(rawValue: 1 << 25)

    static let finish: Self = [.finishKeepingClient, .finishClosingClient, .finishCuttingClient]
}

/// The machine's answer to one event.
struct ExchangeReaction: Hashable, Sendable {
    var actions: ExchangeActions = []
    /// Why, when the proxy answers for itself or gives up.
    var failure: ProxyFailure?
}
