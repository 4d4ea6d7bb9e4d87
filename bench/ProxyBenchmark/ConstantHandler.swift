import NIOCore

/// The upstream of the benchmarks, as cheap as can be: what is measured is what stands in front of it.
///
/// A request without a body gets a small constant JSON document; one with a body gets that body back, once all of it is here. It reads just enough of
/// HTTP/1.1 for proxies on the same machine: one request at a time on a connection, bodies with `Content-Length`. Anything else ends the
/// connection, which the load generator counts as an error.
final class ConstantHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let response = ByteBuffer(
        string: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"id\":1,\"name\":\"constant\"}\n")
    private static let maximumBytes = 1 << 20

    /// What came of a request that is not complete, from its first byte on.
    private var received: ByteBuffer?
    /// The sizes of its head and its body, once the head is complete.
    private var sizes: (head: Int, body: Int)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received == nil, Self.isWholeWithoutBody(bytes) {
            context.writeAndFlush(wrapOutboundOut(Self.response), promise: nil)
            return
        }
        if received == nil { received = bytes } else { received?.writeBuffer(&bytes) }
        answerWhatIsComplete(context)
    }

    private func answerWhatIsComplete(_ context: ChannelHandlerContext) {
        guard let received, received.readableBytes <= Self.maximumBytes else { return context.close(promise: nil) }
        if sizes == nil { sizes = Self.sizes(of: received) }
        guard let sizes, received.readableBytes >= sizes.head + sizes.body else { return }
        self.received = nil
        self.sizes = nil
        guard sizes.body >= 0, received.readableBytes == sizes.head + sizes.body,
            let body = received.getSlice(at: received.readerIndex + sizes.head, length: sizes.body)
        else { return context.close(promise: nil) }
        guard sizes.body > 0 else { return context.writeAndFlush(wrapOutboundOut(Self.response), promise: nil) }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: \(sizes.body)\r\n\r\n"
        context.write(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(body), promise: nil)
    }

    /// Whether this is one GET, whole: proxies send such a request in one piece.
    private static func isWholeWithoutBody(_ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { $0.starts(with: "GET ".utf8) && $0.suffix(4).elementsEqual("\r\n\r\n".utf8) }
    }

    /// Nil as long as the head is not complete; a body of -1 when its length cannot be told.
    private static func sizes(of bytes: ByteBuffer) -> (head: Int, body: Int)? {
        bytes.withUnsafeReadableBytes { bytes in
            var body = 0
            var line = 0
            while let end = bytes[line...].firstIndex(of: UInt8(ascii: "\n")) {
                let next = end + 1
                // The empty line, with its carriage return.
                if end - line <= 1 { return (next, body) }
                if begins(bytes[line..<end], with: "content-length:") { body = number(in: bytes[line..<end]) ?? -1 }
                if begins(bytes[line..<end], with: "transfer-encoding:") { return (next, -1) }
                line = next
            }
            return nil
        }
    }

    private static func begins(_ line: Slice<UnsafeRawBufferPointer>, with name: StaticString) -> Bool {
        // 0x20 makes ASCII letters small, and leaves the signs of these names as they are.
        line.count > name.utf8CodeUnitCount
            && (0..<name.utf8CodeUnitCount).allSatisfy { line[line.startIndex + $0] | 0x20 == name.utf8Start[$0] }
    }

    /// The digits of a line, as one number.
    private static func number(in line: Slice<UnsafeRawBufferPointer>) -> Int? {
        let digits = line.lazy.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.count <= 9 ? digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } : nil
    }
}
