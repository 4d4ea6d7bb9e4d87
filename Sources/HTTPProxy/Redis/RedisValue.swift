import NIOCore

/// What a Redis server answers (RESP 2, https://redis.io/docs/latest/develop/reference/protocol-spec/).
enum RedisValue: Hashable, Sendable {
    /// A short text that says that something went well.
    case status(String)
    /// The server's sentence about what did not; its first word is a code, such as `NOSCRIPT`.
    case error(String)
    case integer(Int64)
    /// Bytes; nil: there are none.
    case bulk(ByteBuffer?)
    /// Nil: there is none.
    case array([RedisValue]?)
}

/// Cuts a stream of bytes into answers. It holds no more than `maximumBytes` of one, so that something that is no Redis server cannot fill the memory.
/// An answer that has come in part is read anew when there is more of it: those that are asked for here fit into a few packets.
struct RedisDecoder: ByteToMessageDecoder {
    typealias InboundOut = RedisValue

    static let maximumBytes = 1 << 20
    /// Of lists in lists.
    private static let maximumDepth = 8

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let value = try Self.decode(&buffer) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(value))
        return .continue
    }

    mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    /// Nil, and nothing is taken, when there is not all of an answer yet.
    static func decode(_ buffer: inout ByteBuffer) throws(RedisError) -> RedisValue? {
        let start = buffer.readerIndex
        if let value = try read(&buffer, depth: 0) { return value }
        buffer.moveReaderIndex(to: start)
        guard buffer.readableBytes <= maximumBytes else { throw .notRedis }
        return nil
    }

    private static func read(_ buffer: inout ByteBuffer, depth: Int) throws(RedisError) -> RedisValue? {
        guard depth < maximumDepth else { throw .notRedis }
        guard let kind: UInt8 = buffer.getInteger(at: buffer.readerIndex), let line = try readLine(&buffer) else { return nil }
        switch kind {
        case UInt8(ascii: "+"): return .status(line)
        case UInt8(ascii: "-"): return .error(line)
        case UInt8(ascii: ":"): return .integer(try number(line))
        case UInt8(ascii: "$"): return try readBulk(&buffer, length: try number(line))
        case UInt8(ascii: "*"): return try readArray(&buffer, count: try number(line), depth: depth)
        default: throw .notRedis
        }
    }

    /// What stands behind the first byte, up to CR LF.
    private static func readLine(_ buffer: inout ByteBuffer) throws(RedisError) -> String? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let length = end - buffer.readerIndex - 1
        guard length >= 1, buffer.getInteger(at: end - 1) == UInt8(ascii: "\r"),
            let text = buffer.getString(at: buffer.readerIndex + 1, length: length - 1)
        else { throw .notRedis }
        buffer.moveReaderIndex(to: end + 1)
        return text
    }

    private static func readBulk(_ buffer: inout ByteBuffer, length: Int64) throws(RedisError) -> RedisValue? {
        if length == -1 { return .bulk(nil) }
        guard (0...Int64(maximumBytes)).contains(length) else { throw .notRedis }
        guard buffer.readableBytes >= Int(length) + 2, let bytes = buffer.readSlice(length: Int(length)) else { return nil }
        guard buffer.readInteger(as: UInt16.self) == 0x0D0A else { throw .notRedis }
        return .bulk(bytes)
    }

    private static func readArray(_ buffer: inout ByteBuffer, count: Int64, depth: Int) throws(RedisError) -> RedisValue? {
        if count == -1 { return .array(nil) }
        // Each element takes at least four bytes.
        guard (0...Int64(maximumBytes / 4)).contains(count) else { throw .notRedis }
        var elements: [RedisValue] = []
        for _ in 0..<count {
            guard let element = try read(&buffer, depth: depth + 1) else { return nil }
            elements.append(element)
        }
        return .array(elements)
    }

    private static func number(_ text: String) throws(RedisError) -> Int64 {
        guard let number = Int64(text) else { throw .notRedis }
        return number
    }
}

extension ByteBuffer {
    /// A command: a list of texts.
    mutating func writeRedis(command words: [String]) {
        writeString("*\(words.count)\r\n")
        for word in words { writeString("$\(word.utf8.count)\r\n\(word)\r\n") }
    }
}
