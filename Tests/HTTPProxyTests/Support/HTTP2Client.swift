import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// A client that speaks HTTP/2 and says what it likes: nothing of what it sends is checked.
final class HTTP2Client: Sendable {
    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let connection: Observed

    /// What the server says about the connection.
    private final class Observed: ChannelInboundHandler, Sendable {
        typealias InboundIn = HTTP2Frame

        let goAways = Collector<HTTP2StreamID>()
        let settings = Collector<HTTP2Setting>()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data).payload {
            case .goAway(let last, _, _): goAways.append(last)
            case .settings(.settings(let told)): for setting in told { settings.append(setting) }
            default: break
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if !(error is NIOHTTP2Errors.StreamError) { context.close(promise: nil) }
        }
    }

    /// The last streams that the server's GOAWAYs have named.
    var goAways: [HTTP2StreamID] { connection.goAways.values }
    var settings: [HTTP2Setting] { connection.settings.values }

    private init(channel: any Channel, multiplexer: NIOHTTP2Handler.StreamMultiplexer, connection: Observed) {
        self.channel = channel
        self.multiplexer = multiplexer
        self.connection = connection
    }

    /// - Parameter tls: nil for plain TCP, with prior knowledge.
    static func connect(port: Int, tls: @autoclosure @escaping @Sendable () throws -> NIOSSLClientHandler? = nil) async throws
        -> HTTP2Client
    {
        let observed = Observed()
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: port) { channel in
                // From the start, so that not even a close at once is missed.
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls = try tls() { try pipeline.addHandler(tls) }
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    configuration.headerBlockValidation = .disabled
                    configuration.contentLengthValidation = .disabled
                    let handler = NIOHTTP2Handler(
                        mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: configuration
                    ) { stream in stream.close() }
                    try pipeline.addHandlers([handler, observed])
                    return HTTP2Client(channel: channel, multiplexer: try handler.syncMultiplexer(), connection: observed)
                }
            }
    }

    /// Opens a stream with these fields.
    /// - Parameter reads: false: takes nothing of the response until `startReading`.
    func open(_ fields: HPACKHeaders, endsStream: Bool = true, reads: Bool = true) async throws -> HTTP2ClientStream {
        let stream = HTTP2ClientStream()
        let promise = channel.eventLoop.makePromise(of: (any Channel).self)
        multiplexer.createStreamChannel(promise: promise) { channel in
            channel.eventLoop.makeCompletedFuture {
                if !reads { try channel.syncOptions?.setOption(.autoRead, value: false) }
                try channel.pipeline.syncOperations.addHandler(HTTP2ClientStream.Handler(stream))
            }
        }
        stream.opened(try await promise.futureResult.get())
        try await stream.send(.headers(.init(headers: fields, endStream: endsStream)))
        return stream
    }

    /// Makes a whole request.
    func request(_ method: String, _ path: String, _ fields: [(String, String)] = [], body: String? = nil) async throws
        -> HTTP2ClientStream.Response
    {
        let stream = try await open(Self.head(method, path, fields), endsStream: body == nil)
        if let body { try await stream.send(body, endsStream: true) }
        return try await stream.response()
    }

    func get(_ path: String, _ fields: [(String, String)] = []) async throws -> HTTP2ClientStream.Response {
        try await request("GET", path, fields)
    }

    static func head(_ method: String, _ path: String, _ fields: [(String, String)] = []) -> HPACKHeaders {
        HPACKHeaders([(":method", method), (":scheme", "https"), (":authority", "shop.test"), (":path", path)] + fields)
    }

    /// Waits until the server has closed the connection.
    func closed() async throws { try await channel.closeFuture.get() }

    func close() async throws { try await channel.close() }
}

/// One request and what came back.
final class HTTP2ClientStream: Sendable {
    struct Response: Sendable {
        var informational: [HPACKHeaders] = []
        var head = HPACKHeaders()
        var bytes = ByteBuffer()
        var body: String { String(buffer: bytes) }
        var trailers: HPACKHeaders?
        /// The server has ended the stream as it should.
        var isEnded = false
        /// The code of the RST_STREAM, if there was one.
        var reset: HTTP2ErrorCode?

        var status: Int { head.first(name: ":status").flatMap { Int($0) } ?? 0 }
        subscript(name: String) -> String? { head.first(name: name) }
    }

    private let state = Mutex<(response: Response, channel: (any Channel)?)>((Response(), nil))

    var current: Response { state.withLock { $0.response } }

    final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload

        private let stream: HTTP2ClientStream

        init(_ stream: HTTP2ClientStream) { self.stream = stream }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let payload = unwrapInboundIn(data)
            stream.state.withLock { $0.response.take(payload) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? NIOHTTP2Errors.StreamClosed { stream.state.withLock { $0.response.reset = error.errorCode } }
        }
    }

    fileprivate func opened(_ channel: any Channel) {
        state.withLock { $0.channel = channel }
    }

    private func channel() throws -> any Channel {
        guard let channel = state.withLock({ $0.channel }) else { throw ChannelError.ioOnClosedChannel }
        return channel
    }

    func send(_ payload: HTTP2Frame.FramePayload) async throws { try await channel().writeAndFlush(payload) }

    func send(_ body: String, endsStream: Bool = false) async throws {
        try await send(.data(.init(data: .byteBuffer(ByteBuffer(string: body)), endStream: endsStream)))
    }

    func startReading() async throws {
        let channel = try channel()
        try await channel.setOption(.autoRead, value: true).get()
        channel.read()
    }

    /// Waits until what has come satisfies `isDone`, or the stream has ended.
    func receive(until isDone: @Sendable (Response) -> Bool) async throws -> Response {
        let channel = try channel()
        while !isDone(current), channel.isActive {
            try Task.checkCancellation()
            await Task.yield()
        }
        return current
    }

    /// Waits until the stream is over on both sides.
    func response() async throws -> Response {
        try await channel().closeFuture.get()
        return current
    }
}

extension HTTP2ClientStream.Response {
    fileprivate mutating func take(_ payload: HTTP2Frame.FramePayload) {
        switch payload {
        case .headers(let payload):
            isEnded = isEnded || payload.endStream
            let status = payload.headers.first(name: ":status") ?? ""
            if status.hasPrefix("1") {
                informational.append(payload.headers)
            } else if head.isEmpty {
                head = payload.headers
            } else {
                trailers = payload.headers
            }
        case .data(let payload):
            isEnded = isEnded || payload.endStream
            if case .byteBuffer(let bytes) = payload.data { self.bytes.writeImmutableBuffer(bytes) }
        default: break
        }
    }
}
