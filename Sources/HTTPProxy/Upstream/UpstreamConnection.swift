import NIOCore

/// A connection to an upstream: sends one request at a time, takes the response apart and tells its borrower about it.
/// It belongs to one event loop, like everyone who touches it.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case idle
        case awaitingHead
        case body
        case closed
    }

    private let life = Life(.upstreamConnection)
    let pool: EndpointPool
    /// When it was last put back, for the pool's idle timeout.
    var idleSince = NIODeadline.distantPast
    /// Whether the pool counts it as lent.
    var isLent = false
    private var borrower: ExchangeDriver?
    private var context: ChannelHandlerContext?
    private var state = State.idle
    private var isHeadRequest = false
    private(set) var maySwitch = false
    private var parser: HeadParser
    private var decoder = BodyDecoder.finished
    private var inbound = ByteBuffer()
    private var receivedBytes = false
    private var informationalHeads = 0
    private var isClosing = false
    private var hasEnded = false
    private let output = OutputBuffer()

    private static let headLimits = HeadLimits(maximumBytes: 64 * 1024, maximumFields: 200)
    /// Heads of 1xx before a response; without a limit a server could keep its client busy with them for as long as its time lasts.
    private static let maximumInformationalHeads = 16

    init(pool: EndpointPool) {
        self.pool = pool
        parser = HeadParser(limits: Self.headLimits)
    }

    /// Known here, without asking the channel: this is asked twice a request.
    var isOpen: Bool {
        if case .closed = state { false } else { !isClosing }
    }

    // MARK: The borrower's side

    /// Lends the connection; from now on `driver` hears what happens on it.
    func lend(to driver: ExchangeDriver) {
        borrower = driver
    }

    /// The connection is idle again; nobody hears of it.
    func takeBack() {
        borrower = nil
    }

    /// Expects a response; call before the request's head is written.
    ///
    /// - Parameter maySwitch: the request asks for another protocol.
    func beginRequest(isHead: Bool, maySwitch: Bool) {
        state = .awaitingHead
        isHeadRequest = isHead
        self.maySwitch = maySwitch
        receivedBytes = false
        informationalHeads = 0
        // Not earlier: while the last response's head is still in use, its fields could not be cleared in place.
        parser.reset()
    }

    /// Appends to what the next flush sends.
    func withOutput(_ body: (inout ByteBuffer) -> Void) {
        output.withBuffer(body)
    }

    func writeBody(_ piece: ByteBuffer, isChunked: Bool) {
        guard let context else { return }
        output.appendBody(piece, isChunked: isChunked, to: context)
    }

    func flush() {
        guard let context else { return }
        output.flush(to: context)
    }

    /// Nothing more will be sent; what comes is still read.
    func finishSending() {
        flush()
        context?.close(mode: .output, promise: nil)
    }

    func setReading(_ reads: Bool) {
        context?.channel.setReading(reads)
    }

    func close() {
        borrower = nil
        isClosing = true
        context?.close(promise: nil)
    }

    // MARK: The channel's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeBuffer(&bytes)
        }
        receivedBytes = true
        parse()
        borrower?.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        borrower?.handle(.upstreamWritable(context.channel.isWritable))
    }

    /// Takes parts off the buffer until it is empty or the response has ended. A borrower may give the connection back, and the pool may lend
    /// it again, during the call that tells it of the end; so that call is the last thing done.
    private func parse() {
        while inbound.readableBytes > 0 {
            switch state {
            case .awaitingHead:
                guard parseHead() else { return }
            case .body:
                guard parseBody() else { return }
            case .idle, .closed:
                // Nobody asked for these bytes; whatever they are, they must not become the next response.
                inbound = ByteBuffer()
                close()
                return
            }
        }
        if case .body = state, decoder.isAtEnd { _ = parseBody() }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    private func parseHead() -> Bool {
        switch inbound.withUnsafeReadableBytes({ parser.parse($0) }) {
        case .incomplete: return false
        case .malformed, .tooLarge:
            fail()
            return false
        case .complete(let length):
            guard let bytes = inbound.readSlice(length: length),
                let head = ResponseHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength, isHead: isHeadRequest),
                head.status != 101 || (maySwitch && head.has("upgrade"))
            else {
                fail()
                return false
            }
            if head.status == 101 {
                decoder = .untilClose
                state = .body
                borrower?.receive(switching: head)
                return true
            }
            if head.isInformational {
                informationalHeads += 1
                guard informationalHeads <= Self.maximumInformationalHeads else {
                    fail()
                    return false
                }
                borrower?.receive(informational: head)
                parser.reset()
                return true
            }
            decoder = BodyDecoder(framing: head.framing, allowsChunkExtensions: true)
            state = .body
            borrower?.receive(head)
            return true
        }
    }

    private func parseBody() -> Bool {
        switch decoder.next(&inbound) {
        case .incomplete: return false
        case .data(let slice):
            borrower?.receive(body: slice)
            return true
        case .end(let trailers):
            state = .idle
            // A server that sends more than it was asked for has lost count; so would the next borrower.
            let isClean = inbound.readableBytes == 0
            inbound = ByteBuffer()
            borrower?.receiveEnd(trailers: trailers, isReusable: isClean)
            return false
        case .malformed:
            fail()
            return false
        }
    }

    private func fail() {
        let driver = borrower
        close()
        state = .closed
        driver?.handle(.upstreamInvalid)
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        guard let driver = borrower else {
            state = .closed
            pool.connectionClosed(self)
            return
        }
        let last = state
        state = .closed
        borrower = nil
        pool.connectionClosed(self)
        if case .body = last, case .untilClose = decoder {
            driver.receiveEnd(trailers: nil, isReusable: false)
        } else {
            driver.upstreamClosed(silent: !receivedBytes)
        }
        driver.flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // A channel that was inactive before this handler came is only removed.
        end()
        self.context = nil
    }
}
