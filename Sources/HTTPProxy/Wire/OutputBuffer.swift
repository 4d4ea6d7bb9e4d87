import NIOCore

/// Gathers what is written to a channel, so that a head and a small body leave in one write and one system call. The memory is used
/// again as soon as the channel has let go of it.
///
/// A class, because writing to a channel can call back into whoever owns this, who then may write again.
final class OutputBuffer {
    /// Smaller pieces are copied behind what is already there; larger ones are written as they are.
    private static let copyLimit = 8 * 1024
    private static let initialCapacity = 1024

    private var buffer = ByteBuffer()
    /// What `buffer` holds was handed to the channel; once that has been written to the socket, the memory is ours alone again and clearing
    /// costs nothing.
    private var isHandedOver = false
    private var needsFlush = false

    /// Appends small things: heads, framing.
    @inline(__always)
    func withBuffer(_ body: (inout ByteBuffer) -> Void) {
        if isHandedOver || buffer.capacity == 0 {
            buffer.clear(minimumCapacity: Self.initialCapacity)
            isHandedOver = false
        }
        body(&buffer)
    }

    func append(_ slice: ByteBuffer, to context: ChannelHandlerContext) {
        if slice.readableBytes <= Self.copyLimit {
            withBuffer { _ = $0.writeImmutableBuffer(slice) }
            return
        }
        handOver(to: context)
        context.write(NIOAny(slice), promise: nil)
        needsFlush = true
    }

    /// Appends a piece of a body, as a chunk of its own if the body is chunked.
    func appendBody(_ piece: ByteBuffer, isChunked: Bool, to context: ChannelHandlerContext) {
        guard isChunked else {
            append(piece, to: context)
            return
        }
        withBuffer {
            $0.writePieces {
                $0.writeShortHex(piece.readableBytes)
                $0.write(literal: "\r\n")
            }
        }
        append(piece, to: context)
        withBuffer { _ = $0.writeStaticString("\r\n") }
    }

    func flush(to context: ChannelHandlerContext) {
        handOver(to: context)
        guard needsFlush else { return }
        needsFlush = false
        context.flush()
    }

    /// Writes everything gathered and reports when it has left, or could not.
    func flush(to context: ChannelHandlerContext, promise: EventLoopPromise<Void>) {
        handOver(to: context)
        needsFlush = false
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
    }

    private func handOver(to context: ChannelHandlerContext) {
        guard !isHandedOver, buffer.readableBytes > 0 else { return }
        isHandedOver = true
        needsFlush = true
        context.write(NIOAny(buffer), promise: nil)
    }
}

extension Channel {
    /// Stops or resumes reading. Must be called on the channel's event loop.
    func setReading(_ reads: Bool) {
        // A channel that is already closed has nothing to read; it says so on its own path.
        try? syncOptions?.setOption(.autoRead, value: reads)
    }
}
