import NIOCore
import NIOHTTP2

// A client's connection of HTTP/2, as far as it is not about one request: how long it may be idle, and how it ends.
//
// A connection that drains says so twice (RFC 9113 section 6.8). The first GOAWAY excludes no stream: requests that are on their way when it is sent
// are still served. Once the client has answered a PING behind it, it has read it, and what it had sent before has arrived; then the second one names
// the last stream that is served, and when that has ended the connection is closed. Who never answers the PING is not waited for long.
//
// A client that breaks the protocol may have spoilt one stream or the whole connection. NIOHTTP2 answers either with the right frame, but reports both
// alike. Others may share the connection (it may be a proxy's), so it is not closed for one bad request; a PING tells: a connection that was given up
// is not read any more, and no answer comes.

final class HTTP2Connection: ChannelInboundHandler, ServedConnection {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private enum Phase: Equatable {
        case open
        /// The first GOAWAY and the PING are sent.
        case announced
        /// The last GOAWAY is sent: the streams that are there are the last ones.
        case last
        case closing
    }

    private let life = Life(.clientConnection)
    let loop: ProxyLoop
    let scheme: Scheme
    private(set) var peer = ""
    private(set) var isPeerTrusted = false
    let headLimits: HeadLimits
    private let flushing = FlushOnce()
    private var context: ChannelHandlerContext?
    private var phase = Phase.open
    /// For idleness and the last moments.
    private var timer: DeadlineTimer?
    /// For the answer to a PING.
    private var pingTimer: DeadlineTimer?
    private var isPinging = false
    private lazy var streams = HTTP2Streams(of: self)

    private static let ping = HTTP2PingData(withInteger: 0x736F_756B)
    /// How long a client may take to answer the PING.
    private static let pingPatience = TimeAmount.seconds(1)
    private static let lingerTime = TimeAmount.seconds(2)

    private init(loop: ProxyLoop, scheme: Scheme) {
        self.loop = loop
        self.scheme = scheme
        let limits = loop.snapshot.configuration.limits
        headLimits = HeadLimits(maximumBytes: limits.maximumHeadBytes, maximumFields: limits.maximumHeaderFields)
    }

    /// Makes the channel one that speaks HTTP/2. Must be called on its event loop.
    static func add(to channel: any Channel, loop: ProxyLoop, scheme: Scheme) throws {
        let connection = HTTP2Connection(loop: loop, scheme: scheme)
        let options = loop.snapshot.configuration.http2
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: options.maximumConcurrentStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: connection.headLimits.maximumBytes),
        ]
        let handler = NIOHTTP2Handler(mode: .server, connectionConfiguration: configuration)
        try channel.pipeline.syncOperations.addHandlers([connection.flushing, handler, connection])
    }

    // MARK: The loop's side

    func drain() {
        guard phase == .open, let context else { return }
        phase = .announced
        timer?.set(nil)
        context.write(goAway(last: .maxID), promise: nil)
        ping(context)
    }

    func cut() {
        phase = .closing
        context?.close(promise: nil)
    }

    // MARK: The channel's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        flushing.gather { context.flush() }
        peer = context.channel.remoteAddress?.ipAddress ?? ""
        isPeerTrusted = loop.snapshot.isTrusted(peer)
        timer = DeadlineTimer(eventLoop: context.eventLoop) { self.deadlinePassed() }
        pingTimer = DeadlineTimer(eventLoop: context.eventLoop) { self.pingUnanswered() }
        waitForStreams()
        loop.add(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2WindowUpdatedEvent:
            if let size = event.inboundWindowSize { streams.windowChanged(event.streamID, to: size) }
        case let event as StreamClosedEvent: streams.ended(event.streamID)
        // Who sends nothing more cannot open a window either: to HTTP/2, half a connection is none.
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: break
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard frame.streamID == .rootStream else {
            streams.receive(frame)
            return
        }
        guard case .ping(Self.ping, ack: true) = frame.payload else { return }
        isPinging = false
        pingTimer?.set(nil)
        if phase == .announced { sendLastGoAway() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is any NIOHTTP2Error {
            if !isPinging { ping(context) }
        } else {
            // The socket or the encryption: there is nobody left to tell.
            context.close(promise: nil)
        }
    }

    private func ping(_ context: ChannelHandlerContext) {
        isPinging = true
        pingTimer?.set(.now() + Self.pingPatience)
        context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: .ping(Self.ping, ack: false))), promise: nil)
    }

    private func pingUnanswered() {
        if phase == .announced { sendLastGoAway() } else { context?.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    private func end() {
        phase = .closing
        timer?.stop()
        pingTimer?.stop()
        streams.endAll()
        loop.remove(self)
    }

    // MARK: Streams

    var allocator: ByteBufferAllocator { context?.channel.allocator ?? ByteBufferAllocator() }

    func write(_ payload: HTTP2Frame.FramePayload, on stream: HTTP2StreamID, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        context.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
    }

    func flush() { flushing.flushSoon() }

    func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        // What was to be flushed is to leave before: behind a reset the stream's frames would be thrown away.
        context?.flush()
        write(.rstStream(code), on: stream)
        flush()
    }

    /// Lets the client send more.
    func open(_ stream: HTTP2StreamID, by increment: Int) {
        write(.windowUpdate(windowSizeIncrement: increment), on: stream)
        flush()
    }

    /// Has the stream told when its deadline passes.
    func watch(_ deadline: NIODeadline) { streams.watch(deadline) }

    func streamOpened() {
        if phase == .open { timer?.set(nil) }
    }

    func streamsEnded() { waitForStreams() }

    // MARK: Endings

    /// No stream is open: the connection may be closed, now or when it has been so for long enough.
    private func waitForStreams() {
        if phase == .last {
            closeGently()
        } else if phase == .open {
            timer?.set(.now() + loop.snapshot.configuration.limits.idleTimeout)
        }
    }

    private func deadlinePassed() {
        switch phase {
        // Idle: whatever is on its way is still served.
        case .open: drain()
        case .announced, .last: break
        case .closing: context?.close(promise: nil)
        }
    }

    private func sendLastGoAway() {
        guard let context else { return }
        phase = .last
        context.writeAndFlush(goAway(last: streams.last), promise: nil)
        if streams.isEmpty { closeGently() }
    }

    private func goAway(last: HTTP2StreamID) -> NIOAny {
        wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: .goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil)))
    }

    /// In two steps, as for HTTP/1: closing at once while the client still sends would make the kernel throw away our last frames.
    private func closeGently() {
        guard phase != .closing, let context else { return }
        phase = .closing
        timer?.set(.now() + Self.lingerTime)
        // Behind it everything that was written before has left.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.context?.close(mode: .output, promise: nil) }
        context.writeAndFlush(goAway(last: streams.last), promise: promise)
    }
}
