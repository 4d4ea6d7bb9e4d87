import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

@testable import HTTPProxy

/// A small HTTP server to stand behind the proxy; remembers what it was asked.
final class TestUpstream: Sendable {
    struct Request: Sendable {
        let head: HTTPRequestHead
        let body: String
        /// Which of the upstream's connections it came on, counted from 0.
        let connection: Int

        func values(_ name: String) -> [String] { head.headers[name] }
    }

    struct Response: Sendable {
        var status: HTTPResponseStatus = .ok
        var headers: HTTPHeaders = [:]
        var body = ""
        /// Written in chunks of this text instead of one body of known length.
        var chunks: [String]?
    }

    private let log = Mutex<(requests: [Request], connections: Int)>(([], 0))
    private let channel: any Channel
    private let host: String

    var port: Int { channel.localAddress?.port ?? 0 }
    var endpoint: Endpoint { Endpoint(host: host, port: port) }
    var requests: [Request] { log.withLock { $0.requests } }
    var connections: Int { log.withLock { $0.connections } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let connection: Int
        private let respond: @Sendable (Request) -> EventLoopFuture<Response>?
        private let answer: @Sendable (Request) -> Response
        private let note: @Sendable (Request) -> Void
        private var head: HTTPRequestHead?
        private var body = ""

        init(
            connection: Int, note: @escaping @Sendable (Request) -> Void, answer: @escaping @Sendable (Request) -> Response,
            respond: @escaping @Sendable (Request) -> EventLoopFuture<Response>?
        ) {
            self.connection = connection
            self.note = note
            self.answer = answer
            self.respond = respond
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let piece): body += String(buffer: piece)
            case .end:
                guard let head else { return }
                let request = Request(head: head, body: body, connection: connection)
                body = ""
                note(request)
                if let future = respond(request) {
                    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                    future.hop(to: context.eventLoop).whenSuccess { response in
                        bound.value.0.write(response, context: bound.value.1)
                    }
                } else {
                    write(answer(request), context: context)
                }
            }
        }

        private func write(_ response: Response, context: ChannelHandlerContext) {
            var headers = response.headers
            if response.chunks == nil, !headers.contains(name: "content-length") {
                headers.add(name: "content-length", value: "\(response.body.utf8.count)")
            }
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: response.status, headers: headers))), promise: nil)
            for piece in response.chunks ?? [response.body] where !piece.isEmpty {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: piece)))), promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// - Parameters:
    ///   - host: the address to listen on.
    ///   - port: 0 for any free one.
    ///   - respond: an answer that comes later; nil: `answer` is used.
    static func start(
        host: String = "127.0.0.1", port: Int = 0, tls: NIOSSLContext? = nil,
        answer: @escaping @Sendable (Request) -> Response = { Response(body: "\($0.head.method.rawValue) \($0.head.uri) \($0.body)") },
        later respond: @escaping @Sendable (Request) -> EventLoopFuture<Response>? = { _ in nil }
    ) async throws -> TestUpstream {
        let slot = Mutex<TestUpstream?>(nil)
        let box = Box(slot)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let upstream = box.value else { return }
                    let connection = upstream.log.withLock { log in
                        log.connections += 1
                        return log.connections - 1
                    }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(
                            connection: connection, note: { request in upstream.log.withLock { $0.requests.append(request) } },
                            answer: answer,
                            respond: respond))
                }
            }
            .bind(host: host, port: port).get()
        let upstream = TestUpstream(channel: channel, host: host)
        box.set(upstream)
        return upstream
    }

    private final class Box: Sendable {
        private let slot: Mutex<TestUpstream?>

        init(_ slot: consuming Mutex<TestUpstream?>) { self.slot = slot }

        var value: TestUpstream? { slot.withLock { $0 } }
        func set(_ upstream: TestUpstream) { slot.withLock { $0 = upstream } }
    }

    private init(channel: any Channel, host: String) {
        self.channel = channel
        self.host = host
    }

    func stop() async throws {
        try await channel.close()
    }
}

/// A server that answers bytes with bytes: for upstreams that misbehave.
final class RawUpstream: Sendable {
    let channel: any Channel
    private let opened: Counter

    var endpoint: Endpoint { Endpoint(host: "127.0.0.1", port: channel.localAddress?.port ?? 0) }
    var connections: Int { opened.value }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let connection: Int
        let onBytes: @Sendable (any Channel, Int, String) -> Void

        init(connection: Int, onBytes: @escaping @Sendable (any Channel, Int, String) -> Void) {
            self.connection = connection
            self.onBytes = onBytes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            onBytes(context.channel, connection, String(buffer: unwrapInboundIn(data)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private init(channel: any Channel, opened: Counter) {
        self.channel = channel
        self.opened = opened
    }

    /// - Parameter onBytes: called with the connection, its number from 0, and what arrived.
    static func start(_ onBytes: @escaping @Sendable (any Channel, Int, String) -> Void) async throws -> RawUpstream {
        let opened = Counter()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(connection: opened.increment() - 1, onBytes: onBytes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return RawUpstream(channel: channel, opened: opened)
    }

    func stop() async throws {
        try await channel.close()
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    @discardableResult
    func increment(by step: Int = 1) -> Int {
        count.withLock { count in
            count += step
            return count
        }
    }
}

/// Collects values from anywhere.
final class Collector<Value: Sendable>: Sendable {
    private let stored = Mutex<[Value]>([])

    var values: [Value] { stored.withLock { $0 } }

    func append(_ value: Value) { stored.withLock { $0.append(value) } }
}
