import NIOCore
import NIOPosix
import Synchronization

// A link is a TCP relay that stands where one service looks for another. What arrives on one side waits in a queue and leaves on the other
// by the link's condition: at once, later, or not before the link is well again; a cut link closes all its connections and every new one.
// The two channels of a connection live on one event loop, so their relays touch each other without locks; only the condition, which the
// schedule changes from outside, is behind one. The queues have no bound: what services say to each other in a run of some minutes is small.

/// The way from one service to another, which can be cut, stalled and slowed.
final class FaultyLink: Sendable {
    enum Condition: Sendable, Hashable {
        case well
        case cut
        case stalled
        case slowed(by: Duration)
    }

    private struct State {
        var condition = Condition.well
        var relays: [ObjectIdentifier: NIOLoopBound<Relay>] = [:]
    }

    private let target: SocketAddress
    private let state = Mutex(State())

    /// - Parameter port: where the other service listens.
    init(port: Int) throws {
        target = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    }

    var condition: Condition { state.withLock(\.condition) }

    /// Listens on a port that the system chooses.
    func listen(on group: any EventLoopGroup) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { self.accept($0) }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func set(_ condition: Condition) {
        let relays = state.withLock { state in
            state.condition = condition
            return Array(state.relays.values)
        }
        for relay in relays { relay.eventLoop.execute { relay.value.conditionChanged() } }
    }

    // MARK: Connections

    /// What the caller says before the other side is reached waits in its relay.
    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        guard condition != .cut else { return client.close() }
        let toServer = Relay(link: self)
        do {
            try add(toServer, to: client)
        } catch {
            return client.eventLoop.makeFailedFuture(error)
        }
        let bound = NIOLoopBound(toServer, eventLoop: client.eventLoop)
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    let toClient = Relay(link: self)
                    toClient.destination = client
                    try self.add(toClient, to: server)
                }
            }
            .connect(to: target)
            .whenComplete { result in
                switch result {
                case .success(let server): bound.value.reach(server)
                // The other service is not there: the caller finds that out as it would without a link, if a little later.
                case .failure: client.close(promise: nil)
                }
            }
        return client.eventLoop.makeSucceededVoidFuture()
    }

    private func add(_ relay: Relay, to source: any Channel) throws {
        try source.pipeline.syncOperations.addHandler(relay)
        state.withLock { $0.relays[ObjectIdentifier(relay)] = NIOLoopBound(relay, eventLoop: source.eventLoop) }
    }

    fileprivate func forget(_ relay: Relay) {
        _ = state.withLock { $0.relays.removeValue(forKey: ObjectIdentifier(relay)) }
    }
}

/// Hands on what one side of a connection says, in order.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum Piece {
        case bytes(ByteBuffer)
        case end
    }

    private let link: FaultyLink
    /// Nil until it is reached.
    var destination: (any Channel)?
    private var source: (any Channel)?
    private var waiting: [Piece] = []
    private var isScheduled = false

    init(link: FaultyLink) {
        self.link = link
    }

    func reach(_ destination: any Channel) {
        self.destination = destination
        handOn()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        source = context.channel
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting.append(.bytes(unwrapInboundIn(data)))
        handOn()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        waiting.append(.end)
        handOn()
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.forget(self)
        source = nil
        waiting.append(.end)
        handOn()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func conditionChanged() {
        if link.condition == .cut {
            source?.close(promise: nil)
            destination?.close(promise: nil)
        }
        handOn()
    }

    private func handOn() {
        guard let destination, !isScheduled, !waiting.isEmpty else { return }
        switch link.condition {
        case .well, .cut: release(to: destination)
        case .stalled: break
        case .slowed(let latency):
            isScheduled = true
            destination.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(latency)) {
                self.isScheduled = false
                self.release(to: destination)
            }
        }
    }

    /// What has come meanwhile goes with the rest.
    private func release(to destination: any Channel) {
        // Stalled while it was under way.
        guard link.condition != .stalled else { return }
        for piece in waiting {
            switch piece {
            case .bytes(let bytes): destination.write(bytes, promise: nil)
            case .end: destination.close(mode: source == nil ? .all : .output, promise: nil)
            }
        }
        waiting.removeAll()
        destination.flush()
    }
}
