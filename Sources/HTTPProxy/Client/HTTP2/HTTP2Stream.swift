import NIOCore
import NIOHPACK
import NIOHTTP2

// One stream of HTTP/2: a request, its response, and nothing after them.
//
// It is to the exchange what a connection of HTTP/1 is, with two differences. Other streams share the socket, so an ending never closes the
// connection: a response that ends before its request says so with RST_STREAM(NO_ERROR), one that cannot be completed with
// RST_STREAM(INTERNAL_ERROR) (RFC 9113 section 8.1). And flow control is the stream's own: while the exchange has paused reading, what has come stays
// in `pending` and the window is not opened again, so no more than one window can pile up; while more than `mostUnsent` bytes of the response wait for the
// client's window or the socket, the exchange reads no more of it.

final class HTTP2Stream: ExchangeClient {
    /// What has been written last. It waits for what comes next, so that the end of the stream can go in the same frame.
    private enum Unsent {
        case head(HPACKHeaders)
        case body(ByteBuffer)
    }

    /// As many bytes may wait for one stream as for one connection of HTTP/1, until half of them have left.
    private static let mostUnsent = 64 * 1024
    /// The first bytes of a response leave uncounted: counting costs a promise, and most responses have no more.
    private static let uncounted = 16 * 1024

    private let life = Life(.stream)
    private let id: HTTP2StreamID
    private let connection: HTTP2Connection
    private let loop: ProxyLoop
    private var driver: ExchangeDriver?
    private(set) var deadline = NIODeadline.distantFuture
    private var pending = CircularBuffer<ByteBuffer>(initialCapacity: 1)
    private var pendingBytes = 0
    private var window = ReceiveWindow()
    private var isRequestEnded = false
    private var isEndDelivered = false
    private var isHead = false
    private var isPaused = false
    private var isProcessing = false
    private var unsent: Unsent?
    private var needsFlush = false
    private var writtenBytes = 0
    /// Of those that are counted.
    private var unsentBytes = 0
    private(set) var isWritable = true
    /// Nothing can be sent any more.
    private var isOver = false

    init(_ id: HTTP2StreamID, of connection: HTTP2Connection) {
        self.id = id
        self.connection = connection
        loop = connection.loop
    }

    // MARK: The exchange's side

    let version = ProtocolVersion.http2

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
        if unsent != nil { sendUnsent() }
        guard needsFlush else { return }
        needsFlush = false
        connection.flush()
    }

    /// Nobody can have asked for it: HTTP/2 has no `Upgrade`.
    func beginTunnel(by head: ResponseHead, _ fields: ResponseFields) {
        cut()
    }

    func setDeadline(_ deadline: NIODeadline?) {
        self.deadline = deadline ?? .distantFuture
        if let deadline { connection.watch(deadline) }
    }

    func pause() { isPaused = true }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        process()
    }

    func exchangeFinished(keepsOpen: Bool) {
        driver = nil
        dropPending()
        // The response may still wait for the client's window, but not for ever.
        setDeadline(.now() + loop.snapshot.configuration.limits.idleTimeout)
        flush()
    }

    func cut() {
        unsent = nil
        reset(.internalError)
        leave()
    }

    func deadlinePassed() {
        deadline = .distantFuture
        if let driver { driver.handle(.timeout) } else { reset(.cancel) }
    }

    /// Nobody hears of this stream any more.
    func leave() {
        isOver = true
        deadline = .distantFuture
        let driver = driver
        self.driver = nil
        dropPending()
        driver?.handle(.clientGone)
    }

    private func dropPending() {
        pending.removeAll()
        pendingBytes = 0
    }

    private func reset(_ code: HTTP2ErrorCode) {
        guard !isOver else { return }
        connection.reset(id, code)
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
        writtenBytes += bytes.readableBytes
        let counted = writtenBytes > Self.uncounted ? bytes.readableBytes : 0
        send(
            .data(HTTP2Frame.FramePayload.Data(data: .byteBuffer(bytes), endStream: endsStream)), endsStream: endsStream, counted: counted)
    }

    /// - Parameter counted: how many bytes wait until the frame has left.
    private func send(_ payload: HTTP2Frame.FramePayload, endsStream: Bool, counted: Int = 0) {
        guard !isOver else { return }
        needsFlush = true
        // The client need not send what is left of a request that is answered. Telling it so before the answer has left would take that back.
        let leavesRequest = endsStream && !isRequestEnded
        guard counted > 0 || leavesRequest else {
            connection.write(payload, on: id)
            return
        }
        wait(for: counted)
        let promise = loop.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            self.left(counted)
            if leavesRequest, !self.isRequestEnded, case .success = result { self.reset(.noError) }
        }
        connection.write(payload, on: id, promise: promise)
    }

    private func wait(for bytes: Int) {
        unsentBytes += bytes
        guard unsentBytes >= Self.mostUnsent, isWritable else { return }
        isWritable = false
        driver?.handle(.clientWritable(false))
    }

    private func left(_ bytes: Int) {
        unsentBytes -= bytes
        guard unsentBytes <= Self.mostUnsent / 2, !isWritable else { return }
        isWritable = true
        driver?.handle(.clientWritable(true))
    }

    // MARK: Frames from the client

    func receive(_ payload: HTTP2Frame.FramePayload) {
        switch payload {
        case .headers(let payload):
            if payload.endStream { isRequestEnded = true }
            // Those that come later are trailers; of requests they end here, as those of HTTP/1 do.
            if driver == nil, !isEndDelivered { begin(payload.headers) }
        case .data(let payload):
            if payload.endStream { isRequestEnded = true }
            if case .byteBuffer(let bytes) = payload.data, bytes.readableBytes > 0, driver != nil {
                pending.append(bytes)
                pendingBytes += bytes.readableBytes
            }
        default: return
        }
        process()
    }

    func windowChanged(to size: Int) {
        window.change(to: size)
        openWindow()
    }

    private func openWindow() {
        guard !isRequestEnded, !isOver, let increment = window.open(unused: pendingBytes) else { return }
        connection.open(id, by: increment)
    }

    // MARK: The request

    private func begin(_ headers: HPACKHeaders) {
        let head: RequestHead
        switch HTTP2RequestHead.read(
            headers, hasBody: !isRequestEnded, limits: connection.headLimits, allocator: connection.allocator)
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
                pendingBytes -= piece.readableBytes
                driver.receive(requestBody: piece)
            } else if isRequestEnded, pending.isEmpty, !isEndDelivered {
                isEndDelivered = true
                driver.receiveRequestEnd()
            } else {
                break
            }
        }
        isProcessing = false
        openWindow()
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
