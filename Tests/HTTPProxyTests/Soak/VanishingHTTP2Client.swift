import NIOCore
import NIOHTTP2

/// A client of HTTP/2 that waits for its answers, or vanishes at one of the moments at which one can: with its stream, or with the whole connection.
enum VanishingHTTP2Client: CaseIterable, Sendable {
    case waits, asksForSeveral, vanishesAtOnce, resetsBehindTheRequest, resetsInTheBody, resetsInTheResponse, vanishesInTheBody,
        vanishesBehindTheRequest, vanishesWithSeveral

    /// - Parameters:
    ///   - cut: how much of a body is sent, modulo what there is.
    ///   - answers: gets the statuses of answers that were waited for; of a stream that was reset before one, 0.
    func ask(for fault: Fault, port: Int, cut: Int, answers: Collector<Int>) async throws {
        let client = try await HTTP2Client.connect(port: port)
        do {
            try await ask(client, "/\(fault.rawValue)", String(repeating: "x", count: 1 + cut % 1000), answers)
        } catch is ChannelError {
            // The proxy was first to end the stream or the connection.
        } catch is IOError {
            // The same, seen by a write that was under way.
        } catch is any NIOHTTP2Error {
            // The same, seen by this side's own reading of the protocol.
        }
        try await client.channel.vanish(byReset: cut.isMultiple(of: 3))
    }

    private func ask(_ client: HTTP2Client, _ path: String, _ part: String, _ answers: Collector<Int>) async throws {
        func get(_ path: String) async throws -> HTTP2ClientStream { try await client.open(HTTP2Client.head("GET", path)) }
        func post() async throws -> HTTP2ClientStream {
            let stream = try await client.open(HTTP2Client.head("POST", path), endsStream: false)
            try await stream.send(part)
            return stream
        }
        switch self {
        case .waits: answers.append(try await get(path).response().status)
        case .asksForSeveral:
            var streams: [HTTP2ClientStream] = []
            for number in 0..<5 { streams.append(try await get(number.isMultiple(of: 2) ? path : "/none")) }
            for stream in streams { answers.append(try await stream.response().status) }
        case .vanishesAtOnce: break
        case .resetsBehindTheRequest: try await Self.reset(try await get(path))
        case .resetsInTheBody: try await Self.reset(try await post())
        case .resetsInTheResponse:
            let stream = try await get(path)
            _ = try await stream.receive { $0.status > 0 }
            try await Self.reset(stream)
        case .vanishesInTheBody: _ = try await post()
        case .vanishesBehindTheRequest: _ = try await get(path)
        case .vanishesWithSeveral: for _ in 0..<5 { _ = try await get(path) }
        }
    }

    /// Gives a request up; its connection stays for a moment.
    private static func reset(_ stream: HTTP2ClientStream) async throws {
        try await stream.send(.rstStream(.cancel))
        _ = try await stream.response()
    }
}
