import NIOCore
import NIOPosix
import Synchronization

@testable import HTTPProxy

/// An upstream that reads all it gets by `ReferenceRequest`, which shares no code with the proxy, and answers whole requests. What may not have come
/// it notes.
final class WatchedUpstream: Sendable {
    private struct Seen {
        var requests = 0
        var complaints: [String] = []
    }

    private let seen = Mutex(Seen())
    private let channel = Mutex<(any Channel)?>(nil)
    private let asksForPaths: Bool

    /// Whole requests.
    var requests: Int { seen.withLock { $0.requests } }
    /// What came and should not have.
    var complaints: [String] { seen.withLock { $0.complaints } }
    var endpoint: Endpoint { Endpoint(host: "127.0.0.1", port: channel.withLock { $0?.localAddress?.port } ?? 0) }

    private init(asksForPaths: Bool) {
        self.asksForPaths = asksForPaths
    }

    /// - Parameter asksForPaths: whether a request's path says what may come of it (`HostileConversation`).
    static func start(asksForPaths: Bool) async throws -> WatchedUpstream {
        let upstream = WatchedUpstream(asksForPaths: asksForPaths)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(upstream)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        upstream.channel.withLock { $0 = channel }
        return upstream
    }

    func stop() async throws { try await channel.withLock { $0 }?.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let upstream: WatchedUpstream
        private var received: [UInt8] = []

        init(_ upstream: WatchedUpstream) { self.upstream = upstream }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += Array(unwrapInboundIn(data).readableBytesView)
            while let request = ReferenceRequest(received, maximumBytes: 65_536, maximumFields: 200) {
                upstream.note(whole: Array(received.prefix(request.length)))
                received.removeFirst(request.length)
                let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
            }
            if !received.isEmpty { upstream.note(begun: received) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private func note(whole bytes: [UInt8]) {
        let isAllowed = !asksForPaths || path(of: bytes).hasPrefix("/whole")
        seen.withLock { seen in
            seen.requests += 1
            if !isAllowed { seen.complaints.append("whole: " + text(bytes)) }
        }
    }

    /// What is there of a request: when its head is, it must be a good one.
    private func note(begun bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return }
        let head = Array(bytes[..<end])
        let isAllowed = !asksForPaths || ["/whole", "/start"].contains { path(of: bytes).hasPrefix($0) }
        // With the shortest body that it can have it must be a request.
        let length = text(head).lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        let body = length.map { [UInt8](repeating: 0, count: Int($0.split(separator: " ").last ?? "") ?? 0) } ?? Array("0\r\n\r\n".utf8)
        let request = ReferenceRequest(head + body, maximumBytes: 65_536, maximumFields: 200)
        guard !isAllowed || request?.length != end + body.count else { return }
        seen.withLock { $0.complaints.append("begun: " + text(bytes)) }
    }

    private func path(of bytes: [UInt8]) -> Substring {
        let words = text(bytes).split(separator: " ", maxSplits: 2)
        return words.count > 1 ? words[1] : ""
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(2_000), as: UTF8.self) }
}
