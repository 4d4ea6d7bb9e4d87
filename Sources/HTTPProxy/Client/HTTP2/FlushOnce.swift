import NIOCore

/// Gathers the flushes of all streams of a connection until the event loop has done what it is about.
///
/// Each stream flushes when its response has come, and responses to one client often come in the same turn of the loop, from different upstream
/// connections. Together they leave by one system call, and in one record of TLS; and what lies between the streams and the socket is asked once.
final class FlushOnce: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private var context: ChannelHandlerContext?
    private var isDue = false
    private var isFlushing = false
    /// Has everything that was written come down here.
    private var flushAbove: (() -> Void)?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        flushAbove = nil
    }

    /// - Parameter above: flushes from the other end of what lies above.
    func gather(from above: @escaping () -> Void) {
        flushAbove = above
    }

    func flush(context: ChannelHandlerContext) {
        flushSoon()
    }

    /// Flushes when this turn of the event loop is over.
    func flushSoon() {
        guard !isDue, !isFlushing, let context else { return }
        isDue = true
        context.eventLoop.assumeIsolated().execute { self.flushNow() }
    }

    private func flushNow() {
        guard isDue else { return }
        isDue = false
        isFlushing = true
        flushAbove?()
        isFlushing = false
        context?.flush()
    }

    /// What was flushed before leaves before the end.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        flushNow()
        context.close(mode: mode, promise: promise)
    }
}
