import NIOCore

// A client's connection of HTTP/1: bytes in, requests one after the other, bytes out.
//
// Requests may be pipelined. They are served one at a time: while an exchange is under way, what arrives stays in `inbound`, and as soon as
// something does arrive reading stops, so that a client cannot pile up requests in memory. In the common case nothing arrives, reading is never
// switched, and the end of the connection is noticed at once.
//
// Closing is done in two steps (RFC 9112 section 9.6): the sending side first, then, after the client has closed its side or a short while,
// the rest. Closing at once while the client still sends would make the kernel throw away our response.

final class ClientConnection: ChannelInboundHandler, RemovableChannelHandler, ExchangeClient, ServedConnection {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Waiting for a request, or in the middle of its head.
        case head
        case body
        /// The request is complete, its response is not.
        case response
        /// The last response was written; what still arrives is thrown away.
        case closing
    }

    private let life = Life(.clientConnection)
    private let loop: ProxyLoop
    private let scheme: Scheme
    private var context: ChannelHandlerContext?
    private var phase = Phase.head
    private var inbound = ByteBuffer()
    private var parser: HeadParser
    private var decoder = BodyDecoder.finished
    private var isHeadStarted = false
    private var isFirst = true
    private let output = OutputBuffer()
    private var driver: ExchangeDriver?
    private var response = HTTP1Response()
    private var timer: DeadlineTimer?
    private var peer = ""
    private var isPeerTrusted = false
    private var isPaused = false
    private var isReading = true
    private var isInputClosed = false
    /// While closing: what was written has left.
    private var hasSentAll = false
    private var isProcessing = false

    /// What looks like a head of HTTP/1 at the beginning of HTTP/2's connection preface (RFC 9113 section 3.4).
    private static let http2Preface = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\n")
    private static let lingerTime = TimeAmount.seconds(2)
    /// How long a connection without a request stays open while draining: a request may just be on its way.
    private static let drainGrace = TimeAmount.milliseconds(500)

    init(loop: ProxyLoop, scheme: Scheme) {
        self.loop = loop
        self.scheme = scheme
        let limits = loop.snapshot.configuration.limits
        parser = HeadParser(limits: HeadLimits(maximumBytes: limits.maximumHeadBytes, maximumFields: limits.maximumHeaderFields))
    }

    // MARK: The driver's side

    var version: ProtocolVersion { response.minorVersion == 0 ? .http10 : .http11 }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(informational head: ResponseHead, _ fields: ResponseFields) {
        output.withBuffer { response.write(informational: head, fields, to: &$0) }
    }

    func write(_ head: ResponseHead, _ fields: ResponseFields) {
        let wantsClose = wantsClose
        output.withBuffer { response.write(head, fields, wantsClose: wantsClose, to: &$0) }
    }

    func writeBody(_ piece: ByteBuffer) {
        guard let context else { return }
        output.appendBody(piece, isChunked: response.isChunked, to: context)
    }

    func writeEnd(trailers: ByteBuffer?) {
        guard response.isChunked else { return }
        output.withBuffer { $0.writeLastChunk(trailers: trailers) }
    }

    func write(_ response: LocalResponse, _ fields: ResponseFields) {
        let wantsClose = wantsClose
        output.withBuffer { self.response.write(response, fields, wantsClose: wantsClose, to: &$0) }
    }

    /// Whether the response is to say that it is the last on its connection. One that comes before the whole request does: when it ends, the
    /// rest may still be on its way, and a client that was not told would send its next request into a closing connection.
    private var wantsClose: Bool {
        if case .response = phase { return !response.keepsAlive || loop.isDraining }
        return true
    }

    func flush() {
        guard let context else { return }
        output.flush(to: context)
    }

    func setDeadline(_ deadline: NIODeadline?) {
        timer?.set(deadline)
    }

    func pause() {
        isPaused = true
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        readAgain()
        process()
    }

    func beginTunnel(by head: ResponseHead, _ fields: ResponseFields) {
        output.withBuffer { response.write(switching: head, fields, to: &$0) }
        decoder = .untilClose
        phase = .body
        readAgain()
        process()
    }

    func exchangeFinished(keepsOpen: Bool) {
        driver = nil
        isPaused = false
        guard keepsOpen, !response.closes else {
            closeGently()
            return
        }
        phase = .head
        isHeadStarted = false
        let limits = loop.snapshot.configuration.limits
        setDeadline(.now() + (loop.isDraining ? Self.drainGrace : limits.idleTimeout))
        readAgain()
        process()
    }

    /// Ends the connection at once, whatever was still to be sent.
    func cut() {
        phase = .closing
        let driver = driver
        self.driver = nil
        driver?.handle(.clientGone)
        context?.close(promise: nil)
    }

    /// The next response is the last one.
    func drain() {
        if case .head = phase, !isHeadStarted { setDeadline(.now() + Self.drainGrace) }
    }

    // MARK: The channel's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        peer = context.channel.remoteAddress?.ipAddress ?? ""
        isPeerTrusted = loop.snapshot.isTrusted(peer)
        timer = DeadlineTimer(eventLoop: context.eventLoop) { self.deadlinePassed() }
        setDeadline(.now() + loop.snapshot.configuration.limits.idleTimeout)
        loop.add(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeBuffer(&bytes)
        }
        process()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        isInputClosed = true
        process()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        driver?.handle(.clientWritable(context.channel.isWritable))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A socket's error: there is nobody left to tell.
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
    }

    /// A channel that is closed before it became active is only removed.
    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    private func end() {
        let driver = driver
        self.driver = nil
        phase = .closing
        timer?.stop()
        driver?.handle(.clientGone)
        loop.remove(self)
    }

    // MARK: Taking requests off the buffer

    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        while step() {}
        isProcessing = false
        // Lets go of the channel's read buffer, so that it can be used again.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        flush()
        driver?.flush()
    }

    /// Takes one thing off the buffer; false when there is nothing to do until something happens.
    private func step() -> Bool {
        switch phase {
        case .head: return stepHead()
        case .body:
            // That a body which is held has no more to come is worth knowing: a request that was read to its end can be refused and its
            // connection kept.
            guard isPaused, !decoder.isAtEnd else { return stepBody() }
            if inbound.readableBytes > 0 { stopReading() }
            return false
        case .response:
            if inbound.readableBytes > 0 {
                stopReading()
            } else if isInputClosed {
                driver?.handle(.clientHalfClosed)
            }
            return false
        case .closing:
            inbound.clear()
            if isInputClosed, hasSentAll { context?.close(promise: nil) }
            return false
        }
    }

    private func stepHead() -> Bool {
        // A client may send an empty line after a body (RFC 9112 section 2.2).
        while !isHeadStarted, inbound.getInteger(at: inbound.readerIndex, as: UInt16.self) == 0x0D0A {
            inbound.moveReaderIndex(forwardBy: 2)
        }
        guard inbound.readableBytes > 0 else {
            if isInputClosed { closeGently() }
            return false
        }
        if !isHeadStarted {
            isHeadStarted = true
            parser.reset()
        }
        let wasAlreadyWaiting = parser.hasStarted
        switch inbound.withUnsafeReadableBytes({ parser.parse($0) }) {
        case .incomplete where isInputClosed:
            // Half a head and nothing to follow.
            closeGently()
            return false
        case .incomplete:
            if !wasAlreadyWaiting { setDeadline(.now() + loop.snapshot.configuration.limits.headTimeout) }
            return false
        case .malformed: refuse(.malformedRequest)
        case .tooLarge: refuse(.headTooLarge)
        case .complete(let length):
            guard let bytes = inbound.readSlice(length: length) else { return false }
            switch RequestHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength) {
            case .success(let head): begin(head)
            case .failure(.versionNotSupported) where beginsHTTP2(bytes):
                switchToHTTP2(bytes)
                return false
            case .failure(let failure): refuse(failure)
            }
        }
        return true
    }

    /// Whether the client speaks HTTP/2 without having asked (RFC 9113 section 3.3), and may.
    private func beginsHTTP2(_ head: ByteBuffer) -> Bool {
        isFirst && loop.snapshot.configuration.http2.isCleartextAllowed && scheme == .http && head == Self.http2Preface
    }

    /// Makes way for HTTP/2, which reads from the first byte on.
    private func switchToHTTP2(_ head: ByteBuffer) {
        guard let context else { return }
        var bytes = head
        bytes.writeBuffer(&inbound)
        phase = .closing
        do {
            try HTTP2Connection.add(to: context.channel, loop: loop, scheme: scheme)
            context.fireChannelRead(NIOAny(bytes))
            context.fireChannelReadComplete()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            // The channel is closed already.
            context.close(promise: nil)
        }
    }

    private func begin(_ head: RequestHead) {
        let caller = Caller(
            head: head, peer: peer, scheme: scheme, isTrusted: isPeerTrusted, snapshot: loop.snapshot, identifiers: &loop.identifiers)
        let driver = ExchangeDriver(client: self, loop: loop, head: head, caller: caller, now: .now())
        response = HTTP1Response(to: head)
        self.driver = driver
        isFirst = false
        decoder = BodyDecoder(framing: head.framing, allowsChunkExtensions: false)
        phase = .body
        setDeadline(nil)
        if !head.framing.hasBody {
            phase = .response
            driver.receiveRequestEnd()
        }
        driver.start()
    }

    private func stepBody() -> Bool {
        guard let driver else { return false }
        switch decoder.next(&inbound) {
        case .incomplete:
            if isInputClosed { driver.handle(.clientHalfClosed) }
            return false
        case .data(let piece): driver.receive(requestBody: piece)
        case .end:
            phase = .response
            driver.receiveRequestEnd()
        case .malformed: driver.handle(.requestInvalid(.malformedRequest))
        }
        return true
    }

    private func stopReading() {
        guard isReading else { return }
        isReading = false
        context?.channel.setReading(false)
    }

    private func readAgain() {
        guard !isReading else { return }
        isReading = true
        context?.channel.setReading(true)
    }

    // MARK: Endings

    private func deadlinePassed() {
        switch phase {
        case .head:
            if isHeadStarted { refuse(.requestTimeout) } else { context?.close(promise: nil) }
        case .body, .response: driver?.handle(.timeout)
        case .closing: context?.close(promise: nil)
        }
    }

    /// Answers a request that has no usable head, and closes.
    private func refuse(_ failure: ProxyFailure) {
        let requestID = loop.identifiers.nextRequestID()
        let response = ProblemDocument(failure).response(
            typePrefix: loop.snapshot.configuration.problemTypePrefix, instance: "urn:request:" + requestID)
        let fields = ResponseFields(requestID: requestID, changes: HeaderChanges())
        var refused = HTTP1Response()
        output.withBuffer { refused.write(response, fields, wantsClose: true, to: &$0) }
        loop.recordRefusal(
            failure, requestID: requestID, clientAddress: peer, version: .http11, responseBytes: response.body.readableBytes)
        closeGently()
    }

    private func closeGently() {
        phase = .closing
        inbound.clear()
        guard let context else { return }
        setDeadline(.now() + loop.snapshot.configuration.limits.idleTimeout)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { sent in
            guard case .success = sent else {
                self.context?.close(promise: nil)
                return
            }
            self.hasSentAll = true
            self.setDeadline(.now() + Self.lingerTime)
            if self.isInputClosed {
                self.context?.close(promise: nil)
            } else {
                self.context?.close(mode: .output, promise: nil)
            }
        }
        output.flush(to: context, promise: promise)
        readAgain()
    }
}
