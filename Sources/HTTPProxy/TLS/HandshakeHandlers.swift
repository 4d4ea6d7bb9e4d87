import NIOCore
import NIOSSL
import NIOTLS

/// Waits for a client's handshake to end, and then makes way for what was negotiated. Who does not end it in time is cut off: a handshake costs the
/// server more than the client.
final class ServerHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let patience: TimeAmount
    private let completed: (any Channel, _ protocol: String?) throws -> Void
    private var timeout: Scheduled<Void>?

    /// - Parameter completed: puts the handlers for the protocol (nil: none was negotiated) into the channel.
    init(patience: TimeAmount, completed: @escaping (any Channel, _ protocol: String?) throws -> Void) {
        self.patience = patience
        self.completed = completed
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: patience) { bound.value.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted(let negotiated)? = event as? TLSUserEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        timeout?.cancel()
        do {
            try completed(context.channel, negotiated)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            // The channel is closed already.
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Whoever is on the other side does not speak TLS, or not ours.
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        context.fireChannelInactive()
    }
}

/// Waits for the handshake with an upstream to end.
final class UpstreamHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let patience: TimeAmount
    private let completed: EventLoopPromise<Void>
    private var timeout: Scheduled<Void>?

    init(patience: TimeAmount, completed: EventLoopPromise<Void>) {
        self.patience = patience
        self.completed = completed
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: patience) {
            bound.value.0.fail(bound.value.1, ChannelError.connectTimeout(bound.value.0.patience))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        timeout?.cancel()
        completed.succeed()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, ChannelError.eof)
        context.fireChannelInactive()
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        timeout?.cancel()
        completed.fail(error)
        context.close(promise: nil)
    }
}
