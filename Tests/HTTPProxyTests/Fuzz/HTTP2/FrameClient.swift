import NIOCore
import NIOHPACK
import NIOPosix
import Synchronization

/// A client that sends any bytes, and reads the frames that come back.
final class FrameClient: Sendable {
    /// What the server has said.
    struct Heard: Sendable {
        /// Of each GOAWAY the code.
        var goAways: [UInt32] = []
        /// Of each stream that was reset the code.
        var resets: [UInt32: UInt32] = [:]
        /// Of each stream the status of its response.
        var statuses: [UInt32: Int] = [:]
        /// Answers to the ping behind everything.
        var pings = 0
        var isClosed = false

        /// The code with which the server gave the connection up.
        var failure: UInt32? { goAways.first { $0 != 0 } }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let client: FrameClient
        private var received = ByteBuffer()
        private var fields = HPACKDecoder(allocator: ByteBufferAllocator())

        init(_ client: FrameClient) { self.client = client }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
            while let length = received.getBytes(at: received.readerIndex, length: 3).map({ $0.reduce(0) { $0 << 8 | Int($1) } }),
                received.readableBytes >= 9 + length
            {
                received.moveReaderIndex(forwardBy: 3)
                guard let kind = received.readInteger(as: UInt8.self), received.readInteger(as: UInt8.self) != nil,
                    let stream = received.readInteger(as: UInt32.self), var payload = received.readSlice(length: length)
                else { return }
                take(kind, on: stream, &payload)
            }
        }

        private func take(_ kind: UInt8, on stream: UInt32, _ payload: inout ByteBuffer) {
            switch WireFrame.Kind(rawValue: kind) {
            case .goAway:
                let code = payload.getInteger(at: payload.readerIndex + 4, as: UInt32.self) ?? 0
                client.note { $0.goAways.append(code) }
            case .reset:
                let code = payload.readInteger(as: UInt32.self) ?? 0
                client.note { $0.resets[stream] = code }
            case .headers:
                // Those of this server are of one piece, without padding.
                let status = (try? fields.decodeHeaders(from: &payload))?.first(name: ":status").flatMap { Int($0) }
                client.note { $0.statuses[stream] = $0.statuses[stream] ?? status }
            case .ping:
                if payload.getString(at: payload.readerIndex, length: 8) == WireFrame.lastPing { client.note { $0.pings += 1 } }
            default: return
            }
        }

        func channelInactive(context: ChannelHandlerContext) { client.note { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private struct Waiter {
        let isEnough: @Sendable (Heard) -> Bool
        let continuation: CheckedContinuation<Heard, Never>
    }

    private let state = Mutex<(heard: Heard, waiters: [Waiter])>((Heard(), []))
    private let channel = Mutex<(any Channel)?>(nil)

    static func connect(port: Int) async throws -> FrameClient {
        let client = FrameClient()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Reader(client)) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        client.channel.withLock { $0 = channel }
        return client
    }

    /// Sends `bytes` in pieces that end at `cuts`, or as much as the server takes before it ends the connection.
    func send(_ bytes: [UInt8], cuts: [Int]) async throws {
        let channel = channel.withLock { $0 }
        var start = 0
        do {
            for end in cuts + [bytes.count] {
                try await channel?.writeAndFlush(ByteBuffer(bytes: bytes[start..<end]))
                start = end
            }
        } catch is ChannelError {
            // It has ended already.
        } catch is IOError {
            // The same, seen by a write that was under way.
        }
    }

    /// Waits until what was heard satisfies `isEnough`, or the server has closed.
    func hear(until isEnough: @escaping @Sendable (Heard) -> Bool) async -> Heard {
        await withCheckedContinuation { continuation in
            state.withLock { $0.waiters.append(Waiter(isEnough: isEnough, continuation: continuation)) }
            note { _ in }
        }
    }

    /// Takes in what was heard, and wakes who has waited for it.
    private func note(_ change: (inout Heard) -> Void) {
        let (heard, ready) = state.withLock { state in
            change(&state.heard)
            let heard = state.heard
            let ready = state.waiters.filter { heard.isClosed || $0.isEnough(heard) }
            state.waiters.removeAll { heard.isClosed || $0.isEnough(heard) }
            return (heard, ready)
        }
        for waiter in ready { waiter.continuation.resume(returning: heard) }
    }

    /// Sends nothing more, and waits until the server has closed.
    func end() async throws -> Heard {
        do {
            try await channel.withLock { $0 }?.close(mode: .output)
        } catch is ChannelError {
            // It has ended already.
        } catch is IOError {
            // The same.
        }
        return await hear { _ in false }
    }

    func close() async throws { try await channel.withLock { $0 }?.vanish(byReset: false) }
}
