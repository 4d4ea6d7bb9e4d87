import NIOCore
import NIOHTTP1
import NIOPosix

/// A small HTTP server on a free loopback port, made of channel handlers alone, whose answers are the awkward ones.
///
/// - `POST /echo`: 201, the body and the `ETag` that came.
/// - `GET /large`: 11 MB.
/// - `GET /moved`: a redirect to `/echo`.
/// - `GET /stuck`: begins an answer and never ends it.
struct CannedServer {
    private let channel: any Channel

    let address: String

    static func start() async throws -> CannedServer {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(CannedAnswers())
                }
            }
        let channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        return CannedServer(channel: channel, address: "http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
    }

    func stop() async throws { try await channel.close() }
}

private final class CannedAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end: if let head { answer(head, context) }
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch request.uri {
        case "/echo": write(.created, ["etag": request.headers.first(name: "etag") ?? ""], body, context)
        case "/large": write(.ok, [:], ByteBuffer(repeating: 0, count: 11 << 20), context)
        case "/moved": write(.found, ["location": "/echo"], ByteBuffer(), context)
        case "/stuck": write(.ok, ["content-length": "2"], ByteBuffer(string: "{"), context, isWhole: false)
        default: write(.notFound, [:], ByteBuffer(), context)
        }
    }

    private func write(
        _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: ByteBuffer, _ context: ChannelHandlerContext, isWhole: Bool = true
    ) {
        var headers = headers
        if isWhole { headers.add(name: "content-length", value: "\(body.readableBytes)") }
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        if isWhole { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }
}
