import NIOCore
import NIOHPACK
import NIOHTTP2

// One stream of HTTP/2: a request, its response, and nothing after them.
//
// It is to the exchange what a connection of HTTP/1 is, with two differences. Other streams share the socket, so an ending never closes the
// connection: a response that ends before its request says so with RST_STREAM(NO_ERROR), one that cannot be completed with
// RST_STREAM(INTERNAL_ERROR) (RFC 9113 section 8.1). And flow control is the stream's own: while the exchange has paused reading, what has come stays
// in `pending` and the window is not opened again, so no more than one window can pile up.

final class HTTP2Stream: ChannelInboundHandler, ExchangeClient {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// What has been written last. It waits for what comes next, so that the end of the stream can go in the same frame.
    private enum Unsent {
        case head(HPACKHeaders)
        case body(ByteBuffer)
    }

    private let connection: HTTP2Connection
    private let loop: ProxyLoop
    private var context: ChannelHandlerContext?
    private var driver: ExchangeDriver?
    private var timer: DeadlineTimer?
    private var pending = CircularBuffer<ByteBuffer>()
    private var isRequestEnded = false
    private var isEndDelivered = false
    private var isHead = false
    private var isPaused = false
    private var isProcessing = false
    private var unsent: Unsent?
    private var needsFlush = false

    init(connection: HTTP2Connection) {
        self.connection = connection
        loop = connection.loop
    }

    // MARK: The exchange's side

    let version = ProtocolVersion.http2

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(informational head: ResponseHead, _ fields: ResponseFields) {
        send(HPACKHeaders(informational: head, fields))
    }

    func write(_ head: ResponseHead, _ fields: ResponseFields) {
        hold(.head(HPACKHeaders(head, fields)))
    }

    func writeBody(_ piece: ByteBuffer) {
        hold(.body(piece))
    }

    func writeEnd(trailers: ByteBuffer?) {
        if let trailers, let fields = HPACKHeaders(trailers: trailers) {
            sendUnsent()
            send(fields, endsStream: true)
        } else {
            sendUnsent(endsStream: true)
        }
    }

    func write(_ response: LocalResponse, _ fields: ResponseFields) {
        hold(.head(HPACKHeaders(response, fields)))
        if response.hasBody, !isHead, response.body.readableBytes > 0 { hold(.body(response.body)) }
        sendUnsent(endsStream: true)
    }

    func flush() {
        guard let context else { return }
        if unsent != nil { sendUnsent() }
        guard needsFlush else { return }
        needsFlush = false
        context.flush()
    }

    /// Nobody can have asked for it: HTTP/2 has no `Upgrade`.
    func beginTunnel(by head: ResponseHead, _ fields: ResponseFields) {
        cut()
    }

    func setDeadline(_ deadline: NIODeadline?) {
        guard let context else { return }
        if timer == nil, deadline != nil {
            timer = DeadlineTimer(eventLoop: context.eventLoop) { self.deadlinePassed() }
        }
        timer?.set(deadline)
    }

    func pause() {
        guard !isPaused else { return }
        isPaused = true
        context?.channel.setReading(false)
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        context?.channel.setReading(true)
        // Other than a socket's, a stream's channel does not begin by itself.
        context?.read()
        process()
    }

    func exchangeFinished(keepsOpen: Bool) {
        driver = nil
        pending.removeAll()
        // The response may still wait for the client's window, but not for ever.
        setDeadline(.now() + loop.snapshot.configuration.limits.idleTimeout)
        flush()
    }

    func cut() {
        leave()
        unsent = nil
        reset(.internalError)
    }

    private func deadlinePassed() {
        if let driver { driver.handle(.timeout) } else { reset(.cancel) }
    }

    /// Nobody hears of this stream any more.
    private func leave() {
        let driver = driver
        self.driver = nil
        pending.removeAll()
        timer?.stop()
        driver?.handle(.clientGone)
    }

    private func reset(_ code: HTTP2ErrorCode) {
        context?.writeAndFlush(wrapOutboundOut(.rstStream(code)), promise: nil)
    }

    // MARK: Frames to the client

    private func hold(_ next: Unsent) {
        sendUnsent()
        unsent = next
    }

    private func sendUnsent(endsStream: Bool = false) {
        let last = unsent
        unsent = nil
        switch last {
        case .head(let headers): send(headers, endsStream: endsStream)
        case .body(let bytes): send(bytes, endsStream: endsStream)
        case nil: if endsStream { send(ByteBuffer(), endsStream: true) }
        }
    }

    private func send(_ headers: HPACKHeaders, endsStream: Bool = false) {
        send(.headers(HTTP2Frame.FramePayload.Headers(headers: headers, endStream: endsStream)), endsStream: endsStream)
    }

    private func send(_ bytes: ByteBuffer, endsStream: Bool) {
        send(.data(HTTP2Frame.FramePayload.Data(data: .byteBuffer(bytes), endStream: endsStream)), endsStream: endsStream)
    }

    private func send(_ payload: HTTP2Frame.FramePayload, endsStream: Bool) {
        guard let context else { return }
        needsFlush = true
        guard endsStream, !isRequestEnded else {
            context.write(wrapOutboundOut(payload), promise: nil)
            return
        }
        // The client need not send what is left of a request that is answered. Telling it so before the answer has left would take that back.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess {
            if !self.isRequestEnded { self.reset(.noError) }
        }
        context.write(wrapOutboundOut(payload), promise: promise)
    }

    // MARK: The channel's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let payload):
            if payload.endStream { isRequestEnded = true }
            // Those that come later are trailers; of requests they end here, as those of HTTP/1 do.
            if driver == nil, !isEndDelivered { begin(payload.headers) }
        case .data(let payload):
            if payload.endStream { isRequestEnded = true }
            if case .byteBuffer(let bytes) = payload.data, bytes.readableBytes > 0, driver != nil { pending.append(bytes) }
        default: return
        }
        process()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        driver?.handle(.clientWritable(context.channel.isWritable))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The stream was reset, or the connection is gone: the channel goes, too, and says so.
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
        self.context = nil
    }

    // MARK: The request

    private func begin(_ headers: HPACKHeaders) {
        guard let context else { return }
        let head: RequestHead
        switch HTTP2RequestHead.read(
            headers, hasBody: !isRequestEnded, limits: connection.headLimits, allocator: context.channel.allocator)
        {
        case .success(let read): head = read
        case .failure(let failure):
            refuse(failure)
            return
        }
        isHead = head.isHead
        let caller = Caller(
            head: head, peer: connection.peer, scheme: connection.scheme, isTrusted: connection.isPeerTrusted, snapshot: loop.snapshot,
            identifiers: &loop.identifiers)
        let driver = ExchangeDriver(client: self, loop: loop, head: head, caller: caller, now: .now())
        self.driver = driver
        if isRequestEnded {
            isEndDelivered = true
            driver.receiveRequestEnd()
        }
        driver.start()
    }

    /// Hands on what has come of the body, and its end. That a body which is held has no more to come is worth knowing, as for HTTP/1.
    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        while let driver {
            if !isPaused, let piece = pending.popFirst() {
                driver.receive(requestBody: piece)
            } else if isRequestEnded, pending.isEmpty, !isEndDelivered {
                isEndDelivered = true
                driver.receiveRequestEnd()
            } else {
                break
            }
        }
        isProcessing = false
        flush()
        driver?.flush()
    }

    /// Answers a request that has no usable head.
    private func refuse(_ failure: ProxyFailure) {
        let requestID = loop.identifiers.nextRequestID()
        let response = ProblemDocument(failure).response(
            typePrefix: loop.snapshot.configuration.problemTypePrefix, instance: "urn:request:" + requestID)
        isEndDelivered = true
        write(response, ResponseFields(requestID: requestID, changes: HeaderChanges()))
        loop.recordRefusal(
            failure, requestID: requestID, clientAddress: connection.peer, version: version,
            responseBytes: response.body.readableBytes)
        exchangeFinished(keepsOpen: false)
    }
}
