import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A server that goes wrong in the way that each request asks for by its path.
enum Fault: String, CaseIterable, Sendable {
    case none, silent, resetBeforeHead, resetMidBody, closeMidBody, garbage, twoAnswers, slowByTheByte, badChunks, early, flood

    fileprivate static let good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    fileprivate static let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
}

extension RawUpstream {
    /// Serves a request whose head came in one piece and has no body that matters.
    static func faulty() async throws -> RawUpstream {
        try await start { channel, _, text in
            // A part of a body that its head was answered for already.
            guard let fault = Fault.allCases.first(where: { text.contains(" /\($0.rawValue) ") }) else { return }
            fault.happen(on: channel)
        }
    }
}

extension Fault {
    fileprivate func happen(on channel: any Channel) {
        switch self {
        case .none, .early: send(Self.good, channel)
        case .silent: break
        case .resetBeforeHead: reset(channel)
        case .resetMidBody:
            send(Self.half, channel)
            reset(channel)
        case .closeMidBody:
            send(Self.half, channel)
            channel.close(promise: nil)
        case .garbage: send("garbage\r\n\r\n", channel)
        case .twoAnswers: send(Self.good + Self.good, channel)
        case .slowByTheByte: drip(Array(Self.good.utf8)[...], channel)
        case .badChunks: send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\ng\r\n", channel)
        case .flood: send(String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 100), channel)
        }
    }

    private func send(_ text: String, _ channel: any Channel) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    private func reset(_ channel: any Channel) {
        channel.resetWhenClosed().whenComplete { _ in channel.close(promise: nil) }
    }

    /// A byte in each turn of the event loop.
    private func drip(_ bytes: ArraySlice<UInt8>, _ channel: any Channel) {
        guard let first = bytes.first, channel.isActive else { return }
        channel.writeAndFlush(ByteBuffer(bytes: [first])).whenSuccess {
            channel.eventLoop.execute { self.drip(bytes.dropFirst(), channel) }
        }
    }
}

extension Channel {
    /// Its end will be a reset, whatever was read.
    func resetWhenClosed() -> EventLoopFuture<Void> {
        guard let socket = self as? any SocketOptionProvider else { return eventLoop.makeSucceededVoidFuture() }
        return socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
}
