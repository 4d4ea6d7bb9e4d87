/// What can happen to an exchange. Bytes and heads stay with the driver; the machine only hears that they are there.
enum ExchangeEvent: Hashable, Sendable {
    /// The policies let the request pass: it goes to an upstream.
    case forward
    /// A complete local response is ready: a policy's refusal, a fixed response, a local handler's answer.
    case answer
    /// The request cannot be served; the proxy must say so.
    case refuse(ProxyFailure)

    /// A piece of the request's body was decoded.
    case requestBody
    case requestEnd
    /// The request's body is not what its framing promised, or is too long.
    case requestInvalid(ProxyFailure)
    /// The client will send no more, but may still read.
    case clientHalfClosed
    case clientGone
    case clientWritable(Bool)

    /// A connection to an upstream is lent to this exchange.
    case upstreamReady(reused: Bool)
    /// No connection could be had.
    case upstreamUnavailable(ProxyFailure)
    case responseInformational
    case responseHead(keepsAlive: Bool)
    case responseBody
    /// `isReusable`: nothing stands behind the response that should not be there.
    case responseEnd(isReusable: Bool)
    /// The connection ended before the response did. `silent`: not one byte of a response had come.
    case upstreamClosed(silent: Bool)
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
    /// Give up waiting for an upstream connection.
    static let cancelAcquire = Self(rawValue: 1 << 0)
    /// Close the upstream connection: what is on it can not be trusted to end where we think it does.
    static let closeUpstream = Self(rawValue: 1 << 1)
    /// Ask the pool for a connection, an idle one if there is one.
    static let acquire = Self(rawValue: 1 << 2)
    /// Ask the pool for a newly opened connection.
    static let acquireFresh = Self(rawValue: 1 << 3)
    static let sendRequestHead = Self(rawValue: 1 << 4)
    /// Keep this piece of the body until the upstream is there.
    static let holdBody = Self(rawValue: 1 << 5)
    static let sendHeldBody = Self(rawValue: 1 << 6)
    static let sendRequestBody = Self(rawValue: 1 << 7)
    static let sendRequestEnd = Self(rawValue: 1 << 8)

    // Towards the client.
    static let writeInformational = Self(rawValue: 1 << 9)
    static let writeResponseHead = Self(rawValue: 1 << 10)
    static let writeResponseBody = Self(rawValue: 1 << 11)
    static let writeResponseEnd = Self(rawValue: 1 << 12)
    /// Write the local response, head and body: the prepared one, or the problem document of the reaction's failure.
    static let writeAnswer = Self(rawValue: 1 << 13)

    // Flow.
    static let pauseClient = Self(rawValue: 1 << 14)
    static let resumeClient = Self(rawValue: 1 << 15)
    static let pauseUpstream = Self(rawValue: 1 << 16)
    static let resumeUpstream = Self(rawValue: 1 << 17)

    // The end: exactly one of the last three, once.
    /// Give the upstream connection back to the pool.
    static let releaseUpstream = Self(rawValue: 1 << 18)
    /// The exchange is over and the client's connection can take another request.
    static let finishKeepingClient = Self(rawValue: 1 << 19)
    /// The exchange is over; close the client's connection after what was written has left.
    static let finishClosingClient = Self(rawValue: 1 << 20)
    /// The exchange is over; cut the client's connection now, so that it sees that its response is not complete.
    static let finishCuttingClient = Self(rawValue: 1 << 21)

    static let finish: Self = [.finishKeepingClient, .finishClosingClient, .finishCuttingClient]
}

/// The machine's answer to one event.
struct ExchangeReaction: Hashable, Sendable {
    var actions: ExchangeActions = []
    /// Why, when the proxy answers for itself or gives up.
    var failure: ProxyFailure?
}
