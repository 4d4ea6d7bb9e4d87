import NIOCore
import NIOPosix
import NIOSSL

/// A client that sends and receives plain bytes over a real socket, so that a test says exactly what is on the wire.
final class RawClient: Sendable {
    let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    /// What arrived, and who waits for more of it.
    private final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var received = ByteBuffer()
        var isClosed = false
        private var waiters: [(isDone: (Inbox) -> Bool, promise: EventLoopPromise<Void>)] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.writeBuffer(&bytes)
            wake()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { end() }
        }

        func channelInactive(context: ChannelHandlerContext) { end() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func wait(until isDone: @escaping (Inbox) -> Bool, _ promise: EventLoopPromise<Void>) {
            waiters.append((isDone, promise))
            wake()
        }

        private func end() {
            isClosed = true
            wake()
        }

        private func wake() {
            let ready = waiters.filter { isClosed || $0.isDone(self) }
            waiters.removeAll { isClosed || $0.isDone(self) }
            for waiter in ready { waiter.promise.succeed(()) }
        }
    }

    private init(channel: any Channel, inbox: NIOLoopBound<Inbox>) {
        self.channel = channel
        self.inbox = inbox
    }

    /// - Parameter tls: nil for plain TCP.
    static func connect(port: Int, reads: Bool = true, tls: @autoclosure @escaping @Sendable () throws -> NIOSSLClientHandler? = nil)
        async throws -> RawClient
    {
        let group = MultiThreadedEventLoopGroup.singleton
        let loop = group.next()
        // Made before there is a connection: one that is closed at once has no handlers any more.
        let inbox = try await loop.submit { NIOLoopBound(Inbox(), eventLoop: loop) }.get()
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                // From the start, so that not even a close at once is missed.
                channel.eventLoop.makeCompletedFuture {
                    if let tls = try tls() { try channel.pipeline.syncOperations.addHandler(tls) }
                    try channel.pipeline.syncOperations.addHandler(inbox.value)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel: channel, inbox: inbox)
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    func send(_ bytes: ByteBuffer) async throws {
        try await channel.writeAndFlush(bytes)
    }

    func startReading() async throws {
        try await channel.setOption(.autoRead, value: true).get()
    }

    /// Waits until what has arrived satisfies `isDone`, or the server has closed; gives it all, as text.
    @discardableResult
    func receive(until isDone: @escaping @Sendable (String) -> Bool) async throws -> String {
        try await wait { isDone(String(buffer: $0.received)) }
        return try await text()
    }

    /// Waits until at least `count` bytes have arrived, or the server has closed.
    func receive(bytes count: Int) async throws -> Int {
        try await wait { $0.received.readableBytes >= count }
        return try await channel.eventLoop.submit { [inbox] in inbox.value.received.readableBytes }.get()
    }

    /// Waits until the server has closed; gives all that arrived, as text.
    func receiveToEnd() async throws -> String {
        try await wait { $0.isClosed }
        return try await text()
    }

    /// Waits until the server has closed; gives all that arrived.
    func bytesToEnd() async throws -> ByteBuffer {
        try await wait { $0.isClosed }
        return try await channel.eventLoop.submit { [inbox] in inbox.value.received }.get()
    }

    /// Waits for one complete response with a `content-length` body (or none) and takes it off the inbox.
    func response(isHead: Bool = false) async throws -> RawResponse {
        try await wait { RawResponse.length(in: $0.received, isHead: isHead) != nil }
        return try await channel.eventLoop.submit { [inbox] in
            let inbox = inbox.value
            guard let length = RawResponse.length(in: inbox.received, isHead: isHead), let bytes = inbox.received.readSlice(length: length)
            else {
                throw RawClientError.incomplete(String(buffer: inbox.received))
            }
            return RawResponse(String(buffer: bytes))
        }.get()
    }

    func get(_ path: String, _ fields: String = "") async throws -> RawResponse {
        try await send("GET \(path) HTTP/1.1\r\nHost: shop.test\r\n\(fields)\r\n")
        return try await response()
    }

    func close() async throws {
        try await channel.close()
    }

    private func wait(until isDone: @escaping @Sendable (Inbox) -> Bool) async throws {
        try await channel.eventLoop.flatSubmit { [inbox, channel] in
            let promise = channel.eventLoop.makePromise(of: Void.self)
            inbox.value.wait(until: isDone, promise)
            return promise.futureResult
        }.get()
    }

    private func text() async throws -> String {
        try await channel.eventLoop.submit { [inbox] in String(buffer: inbox.value.received) }.get()
    }
}

enum RawClientError: Error {
    case incomplete(String)
}

/// A response as text, taken apart just enough to look at.
struct RawResponse: Sendable {
    let status: Int
    let head: String
    let body: String

    init(_ text: String) {
        let parts = text.components(separatedBy: "\r\n\r\n", limit: 2)
        head = parts[0]
        body = parts.count > 1 ? parts[1] : ""
        status = Int(text.dropFirst(9).prefix(3)) ?? 0
    }

    /// The value of the first field of this name.
    subscript(name: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts[0].lowercased() == name.lowercased() { return parts[1].drop { $0 == " " }.description }
        }
        return nil
    }

    static func length(in buffer: ByteBuffer, isHead: Bool) -> Int? {
        let view = buffer.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return nil }
        let response = RawResponse(String(decoding: view[..<end], as: UTF8.self))
        let body = isHead ? 0 : Int(response["content-length"] ?? "0") ?? 0
        let total = end - view.startIndex + body
        return buffer.readableBytes >= total ? total : nil
    }
}

extension String {
    func components(separatedBy separator: String, limit: Int) -> [String] {
        guard limit > 1, let range = firstRange(of: separator) else { return [self] }
        return [String(self[..<range.lowerBound])] + String(self[range.upperBound...]).components(separatedBy: separator, limit: limit - 1)
    }
}
