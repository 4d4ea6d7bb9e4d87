import NIOCore
import NIOPosix

/// Opens TCP connections on one event loop. A name is resolved by NIO on a thread of its own, each time anew.
final class SocketConnector: UpstreamConnector {
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func connect(_ pool: EndpointPool) {
        let bound = NIOLoopBound(pool, eventLoop: eventLoop)
        attempt(pool.endpoint, within: pool.limits.connectTimeout).assumeIsolated().whenComplete { result in
            let pool = bound.value
            switch result {
            case .success(let channel):
                let connection = UpstreamConnection(pool: pool)
                do {
                    try channel.pipeline.syncOperations.addHandler(connection)
                    pool.opened(connection, now: .now())
                } catch {
                    // The channel was closed before it could be used.
                    channel.close(promise: nil)
                    pool.openingFailed(.connectFailed)
                }
            case .failure(let error):
                pool.openingFailed(Self.failure(for: error))
            }
        }
    }

    func probe(_ endpoint: Endpoint, _ check: HealthCheck) -> EventLoopFuture<Bool> {
        attempt(endpoint, within: check.timeout).flatMap { channel in
            let answer = channel.eventLoop.makePromise(of: Bool.self)
            do {
                try channel.pipeline.syncOperations.addHandler(ProbeConnection(endpoint, check, answer: answer))
            } catch {
                // The channel was closed before it could be used.
                answer.fail(ProbeError.noAnswer)
            }
            return answer.futureResult
        }
    }

    private func attempt(_ endpoint: Endpoint, within timeout: TimeAmount) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(timeout)
        // What is no IP address is a name.
        if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: endpoint.host, port: endpoint.port)
    }

    private static func failure(for error: any Error) -> ProxyFailure {
        switch error {
        case ChannelError.connectTimeout: .connectTimeout
        default: .connectFailed
        }
    }
}
