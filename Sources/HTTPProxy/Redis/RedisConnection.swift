import NIOCore
import NIOPosix
import NIOSSL

/// A connection to a Redis server, for one task that asks one question after the other.
struct RedisConnection {
    private let channel: any Channel
    private var answers: NIOAsyncChannelInboundStream<RedisValue>.AsyncIterator
    private let questions: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let patience: TimeAmount

    /// Connects, signs in, lets `body` ask and closes the connection after it.
    ///
    /// - Parameter patience: how long connecting may take, and each answer.
    /// - Throws: `RedisError` when the server is of no use, and what `body` throws.
    static func with(
        _ address: RedisAddress, patience: TimeAmount, _ body: (inout RedisConnection) async throws -> Void
    ) async throws {
        let channel: NIOAsyncChannel<RedisValue, ByteBuffer>
        do {
            channel = try await open(address, within: patience)
        } catch {
            throw RedisError.unreachable(error)
        }
        try await channel.executeThenClose { answers, questions in
            var connection = RedisConnection(
                channel: channel.channel, answers: answers.makeAsyncIterator(), questions: questions, patience: patience)
            try await connection.signIn(to: address)
            try await body(&connection)
        }
    }

    private static func open(_ address: RedisAddress, within patience: TimeAmount) async throws -> NIOAsyncChannel<RedisValue, ByteBuffer> {
        let tls = address.isSecure ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        let isName = (try? SocketAddress(ipAddress: address.host, port: address.port)) == nil
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(patience)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        // A certificate can be for an IP address, but that is never asked for by name (RFC 6066 section 3).
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isName ? address.host : nil))
                    }
                    try pipeline.addHandler(ByteToMessageHandler(RedisDecoder()))
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    private mutating func signIn(to address: RedisAddress) async throws {
        if let password = address.password {
            _ = try await ask(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
        }
        if address.database != 0 { _ = try await ask(["SELECT", "\(address.database)"]) }
    }

    /// Asks, and waits for the answer.
    /// - Throws: `RedisError`, also when the answer is an error. Afterwards the connection is of no more use.
    mutating func ask(_ words: [String]) async throws -> RedisValue {
        var command = ByteBuffer()
        command.writeRedis(command: words)
        let deadline = NIODeadline.now() + patience
        let timer = channel.eventLoop.scheduleTask(deadline: deadline) { [channel] in channel.close(promise: nil) }
        defer { timer.cancel() }
        let answer: RedisValue?
        do {
            try await questions.write(command)
            answer = try await answers.next(isolation: #isolation)
        } catch let error as RedisError {
            throw error
        } catch {
            throw NIODeadline.now() < deadline ? RedisError.unreachable(error) : RedisError.silent
        }
        switch answer {
        case .error(let sentence): throw RedisError.refused(sentence)
        case let answer?: return answer
        case nil: throw NIODeadline.now() < deadline ? RedisError.closed : RedisError.silent
        }
    }
}
