import Logging
import NIOCore
import NIOHTTP1
import Resilience

/// Carries out what the `Exchange` decides, for one request: holds the heads and the bytes, and connects the client's connection with the
/// upstream's. It makes no decision about the lifecycle itself.
final class ExchangeDriver {
    private let life = Life(.exchange)
    let loop: ProxyLoop
    let client: any ExchangeClient
    let snapshot: ProxySnapshot
    let startedAt: NIODeadline
    let startedUnixNanoseconds: Int64
    var context: RequestContext
    let identity: RequestIdentity
    let isTrusted: Bool
    var route: CompiledRoute?
    private(set) var machine: Exchange

    var cluster: LoopCluster?
    var pool: EndpointPool?
    var upstream: UpstreamConnection?
    var attempts = Attempts()
    /// Nil: the cache has nothing to do with it.
    var visit: CacheVisit?
    private var held: [ByteBuffer] = []
    private var heldBytes = 0
    private var responseHead: ResponseHead?
    private var prepared: LocalResponse?
    private var compression = Compression.Decision.none
    private var encoder: GzipEncoder?
    private(set) var totalDeadline: NIODeadline?
    private var isExecuting = false
    private var waiting: [(event: ExchangeEvent, piece: ByteBuffer?)] = []
    private var resumesClient = false

    // What the records say.
    private(set) var status = 0
    private(set) var failure: ProxyFailure?
    private(set) var requestBytes = 0
    private(set) var responseBytes = 0
    private var upstreamSentAt: NIODeadline?
    private(set) var upstreamNanoseconds: Int64?
    /// An upstream has got the request's head.
    var wasSent: Bool { upstreamSentAt != nil }
    /// The protocol was switched: what comes is passed on as it is.
    private var isTunnel = false

    init(client: any ExchangeClient, loop: ProxyLoop, head: RequestHead, caller: Caller, now: NIODeadline) {
        self.client = client
        self.loop = loop
        snapshot = loop.snapshot
        startedAt = now
        startedUnixNanoseconds = loop.observer.access == nil ? 0 : loop.unixNanoseconds()
        identity = caller.identity
        isTrusted = caller.isTrusted
        context = RequestContext(
            head: head, routeName: "", clientAddress: caller.clientAddress, requestID: caller.identity.requestID)
        machine = Exchange(keepsClient: head.keepsAlive, clientWritable: client.isWritable)
    }

    var isFinished: Bool { machine.isFinished }

    // MARK: Events

    /// Tells the machine and does what it says. `piece` is the piece of body that a body event is about.
    ///
    /// Doing one thing may cause the next event at once: writing can make a channel unwritable, asking for a connection can give one. Such
    /// events wait until everything that belongs to the first is done, so that the machine and the world stay in step.
    func handle(_ event: ExchangeEvent, piece: ByteBuffer? = nil) {
        guard !isExecuting else {
            waiting.append((event: event, piece: piece))
            return
        }
        isExecuting = true
        execute(machine.handle(event), piece)
        while !waiting.isEmpty {
            let next = waiting.removeFirst()
            execute(machine.handle(next.event), next.piece)
        }
        isExecuting = false
        if resumesClient {
            resumesClient = false
            client.resume()
        }
    }

    func receive(requestBody piece: ByteBuffer) {
        requestBytes += piece.readableBytes
        if isTunnel { streamDeadlineMoved() }
        if let limit = route?.route.maximumBodyBytes, requestBytes > limit, !isTunnel {
            handle(.requestInvalid(.bodyTooLarge))
        } else {
            let limit = route?.route.retries.maximumBodyBytes ?? 0
            handle(.requestBody(fits: heldBytes + piece.readableBytes <= limit), piece: piece)
        }
    }

    func receiveRequestEnd() {
        handle(.requestEnd)
    }

    func receive(informational head: ResponseHead) {
        responseHead = head
        handle(.responseInformational)
        responseHead = nil
    }

    func receive(_ head: ResponseHead) {
        noteFirstByte()
        judgeEndpoint(by: head)
        responseHead = head
        // Servers that were asked to switch, and do not, may still take what comes next for another protocol.
        let keepsAlive = head.keepsAlive && upstream?.maySwitch != true
        handle(.responseHead(keepsAlive: keepsAlive, mayRetry: mayRetry(head)))
        responseHead = nil
    }

    private func noteFirstByte() {
        if let upstreamSentAt { upstreamNanoseconds = (NIODeadline.now() - upstreamSentAt).nanoseconds }
    }

    func receive(switching head: ResponseHead) {
        noteFirstByte()
        judgeEndpoint(by: head)
        responseHead = head
        handle(.responseSwitch)
        responseHead = nil
    }

    func receive(body piece: ByteBuffer) {
        streamDeadlineMoved()
        handle(.responseBody, piece: piece)
    }

    func receiveEnd(trailers: ByteBuffer?, isReusable: Bool) {
        handle(.responseEnd(isReusable: isReusable), piece: trailers)
    }

    func replay(_ head: ResponseHead) {
        responseHead = head
        handle(.replay)
        responseHead = nil
    }

    func answer(_ response: LocalResponse) {
        prepared = response
        handle(.answer)
    }

    func flush() {
        if let encoder { writeBody(encoder.flush()) }
        client.flush()
        upstream?.flush()
    }

    /// The route is known, and with it how often the request may be sent again and how long all may take.
    func adopt(_ compiled: CompiledRoute) {
        route = compiled
        context.routeName = compiled.route.name
        machine.allowRetries(compiled.route.retries.retries, isRepeatable: context.head.isRepeatable)
        totalDeadline = compiled.route.timeouts.total.map { startedAt + $0 }
        client.setDeadline(totalDeadline)
    }

    // MARK: Actions

    private func execute(_ reaction: ExchangeReaction, _ piece: ByteBuffer?) {
        let actions = reaction.actions
        if actions.isEmpty { return }
        if let failure = reaction.failure { self.failure = failure }
        if actions.contains(.blameEndpoint) { blameEndpoint() }
        if actions.contains(.cancelAcquire) { cancelAcquire() }
        if actions.contains(.closeUpstream) {
            upstream?.close()
            upstream = nil
        }
        if !actions.isDisjoint(with: .towardsUpstream) { executeTowardsUpstream(actions, piece) }
        if !actions.isDisjoint(with: .towardsClient) { executeTowardsClient(actions, piece) }
        if actions.contains(.pauseClient) {
            resumesClient = false
            client.pause()
        }
        if actions.contains(.resumeClient) { resumesClient = true }
        if actions.contains(.pauseUpstream) { setSourceReading(false) }
        if actions.contains(.resumeUpstream) { setSourceReading(true) }
        if actions.contains(.releaseUpstream), let upstream, let pool {
            self.upstream = nil
            pool.release(upstream, now: .now())
        }
        if !actions.isDisjoint(with: .finish) { finish(actions) }
        if actions.contains(.acquire) { acquire() }
        if actions.contains(.acquireFresh) { acquireFromPool(needsFresh: true) }
        if actions.contains(.acquireAfterPause) { acquireAfterPause() }
    }

    private func executeTowardsUpstream(_ actions: ExchangeActions, _ piece: ByteBuffer?) {
        if actions.contains(.sendRequestHead) { sendRequestHead() }
        let isChunked = context.head.framing == .chunked
        if actions.contains(.holdBody), let piece {
            held.append(piece)
            heldBytes += piece.readableBytes
        }
        if actions.contains(.sendHeldBody) {
            for piece in held { upstream?.writeBody(piece, isChunked: isChunked) }
        }
        if actions.contains(.sendRequestBody), let piece { upstream?.writeBody(piece, isChunked: isChunked) }
        if actions.contains(.dropHeldBody) { dropHeldBody() }
        if actions.contains(.sendRequestEnd) {
            // Trailers of requests end here: they would pass the reserved names and the policies by.
            if isChunked { upstream?.withOutput { $0.writeLastChunk(trailers: nil) } }
            if isTunnel { upstream?.finishSending() } else { setUpstreamDeadline() }
        }
    }

    private func dropHeldBody() {
        held = []
        heldBytes = 0
    }

    /// From now on the upstream has the first-byte timeout to move.
    func setUpstreamDeadline() {
        guard let firstByte = route?.route.timeouts.firstByte else { return }
        let deadline = NIODeadline.now() + firstByte
        client.setDeadline(totalDeadline.map { min($0, deadline) } ?? deadline)
    }

    private func executeTowardsClient(_ actions: ExchangeActions, _ piece: ByteBuffer?) {
        if actions.contains(.writeInformational), let head = responseHead { client.write(informational: head, fields) }
        if actions.contains(.writeResponseHead), let head = responseHead {
            if let visit { noteInCache(head, visit) }
            responseBegan(status: head.status)
            beginEncoding(head)
            client.write(head, fields)
        }
        if actions.contains(.writeSwitch), let head = responseHead {
            isTunnel = true
            responseBegan(status: head.status)
            client.beginTunnel(by: head, fields)
        }
        if actions.contains(.writeResponseBody), let piece {
            if let visit { noteInCache(body: piece, visit) }
            if let encoder { writeBody(encoder.add(piece)) } else { writeBody(piece) }
        }
        if actions.contains(.writeResponseEnd) {
            if let visit { noteInCacheEnd(trailers: piece, visit) }
            if let encoder { writeBody(encoder.finish()) }
            client.writeEnd(trailers: piece)
        }
        if actions.contains(.writeAnswer) { writeAnswer() }
    }

    private func sendRequestHead() {
        guard let upstream, let pool else { return }
        upstreamSentAt = .now()
        client.setDeadline(totalDeadline)
        let switchesTo = context.head.upgrade.flatMap { route?.allows(upgrade: $0) ?? false ? $0 : nil }
        upstream.beginRequest(isHead: context.head.isHead, maySwitch: switchesTo != nil)
        let writer = RequestWriter(
            head: context.head, snapshot: snapshot, changes: context.changes, isTrusted: isTrusted, rewrite: route?.rewrite,
            switchesTo: switchesTo)
        upstream.withOutput { $0.writePieces { writer.write(identity, fallbackHost: pool.endpoint, to: &$0) } }
    }

    private var fields: ResponseFields {
        ResponseFields(requestID: context.requestID, changes: context.changes, compression: compression)
    }

    /// An empty piece would be the end of a chunked body.
    private func writeBody(_ piece: ByteBuffer?) {
        guard let piece, piece.readableBytes > 0 else { return }
        responseBytes += piece.readableBytes
        client.writeBody(piece)
    }

    // MARK: Compression

    private func beginEncoding(_ head: ResponseHead) {
        guard let wanted = route?.route.compression else { return }
        compression = wanted.decide(context.head, head)
        guard compression == .gzip, head.framing.hasBody, !context.head.isHead else { return }
        encoder = loop.encoders.take(level: wanted.level)
        if encoder == nil { compression = .varies }
    }

    private func endEncoding() {
        guard let encoder else { return }
        self.encoder = nil
        loop.encoders.giveBack(encoder)
    }

    private func responseBegan(status: Int) {
        self.status = status
        tellBreaker(CircuitBreaker.Outcome(status: status))
        giveBackRetryPlace()
        streamDeadlineMoved()
    }

    /// Something came: the stream has the idle timeout again, and all of it never more than the total one.
    private func streamDeadlineMoved() {
        let total = isTunnel ? nil : totalDeadline
        guard let idle = route?.route.timeouts.idle else {
            client.setDeadline(total)
            return
        }
        let deadline = NIODeadline.now() + idle
        client.setDeadline(total.map { min($0, deadline) } ?? deadline)
    }

    private func writeAnswer() {
        let response =
            failure.map { ProblemDocument($0).response(typePrefix: snapshot.configuration.problemTypePrefix, instance: context.path) }
            ?? prepared
        guard let response else { return }
        status = Int(response.status.code)
        responseBytes = context.head.isHead ? 0 : response.body.readableBytes
        client.write(response, fields)
    }

    private func finish(_ actions: ExchangeActions) {
        endEncoding()
        dropHeldBody()
        leaveCluster()
        if let visit { leaveCache(visit, isCut: actions.contains(.finishCuttingClient)) }
        loop.activeRequests -= 1
        record(isCut: actions.contains(.finishCuttingClient))
        if actions.contains(.finishCuttingClient) {
            client.cut()
        } else {
            client.exchangeFinished(keepsOpen: actions.contains(.finishKeepingClient))
        }
    }
}

extension ExchangeActions {
    fileprivate static let towardsUpstream: Self = [
        .sendRequestHead, .holdBody, .sendHeldBody, .sendRequestBody, .dropHeldBody, .sendRequestEnd,
    ]
    fileprivate static let towardsClient: Self = [
        .writeInformational, .writeResponseHead, .writeSwitch, .writeResponseBody, .writeResponseEnd, .writeAnswer,
    ]
}

extension ByteBuffer {
    /// The end of a chunked body, with trailer fields that were checked before.
    mutating func writeLastChunk(trailers: ByteBuffer?) {
        writeStaticString("0\r\n")
        if let trailers { writeImmutableBuffer(trailers) }
        writeStaticString("\r\n")
    }
}
