import NIOCore
import NIOPosix
import NIOSSL

/// Opens TCP connections on one event loop, with TLS if the endpoint wants it. A name whose addresses are not known is resolved by NIO on a thread of its
/// own, each time anew.
final class SocketConnector: UpstreamConnector {
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func connect(_ pool: EndpointPool) {
        let bound = NIOLoopBound(pool, eventLoop: eventLoop)
        open(pool.endpoint, pool.tls, within: pool.limits.connectTimeout).assumeIsolated().whenComplete { result in
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

    func probe(_ endpoint: Endpoint, tls: ClientTLS?, _ check: HealthCheck) -> EventLoopFuture<Bool> {
        open(endpoint, tls, within: check.timeout).flatMap { channel in
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

    /// - Parameter timeout: for the connection, and as long again for the handshake.
    private func open(_ endpoint: Endpoint, _ tls: ClientTLS?, within timeout: TimeAmount) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(timeout)
        // What is no IP address is a name.
        let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
        // Nil leaves it to NIO to look the name up.
        let resolver = endpoint.addresses.map { KnownAddresses(eventLoop: eventLoop, addresses: $0) }
        let connected =
            address.map { bootstrap.connect(to: $0) } ?? bootstrap.resolver(resolver).connect(host: endpoint.host, port: endpoint.port)
        guard let tls else { return connected }
        let name = tls.serverName ?? endpoint.serverName
        let bound = NIOLoopBound(tls.context, eventLoop: eventLoop)
        return connected.flatMap { Self.shakeHands($0, bound.value, name, within: timeout) }
    }

    private static func shakeHands(
        _ channel: any Channel, _ context: NIOSSLContext, _ name: String?, within timeout: TimeAmount
    ) -> EventLoopFuture<any Channel> {
        let completed = channel.eventLoop.makePromise(of: Void.self)
        do {
            try channel.pipeline.syncOperations.addHandlers([
                try NIOSSLClientHandler(context: context, serverHostname: name), UpstreamHandshake(patience: timeout, completed: completed),
            ])
        } catch {
            channel.close(promise: nil)
            completed.fail(error)
        }
        return completed.futureResult.map { channel }
    }

    private static func failure(for error: any Error) -> ProxyFailure {
        switch error {
        case ChannelError.connectTimeout: .connectTimeout
        default: .connectFailed
        }
    }
}

/// Answers with what is known already. Of the two families NIO then finds out which leads anywhere (Happy Eyeballs, RFC 8305).
private struct KnownAddresses: NIOPosix.Resolver {
    let eventLoop: any EventLoop
    let addresses: Endpoint.AddressPair

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { answer(addresses.ipv4, port) }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { answer(addresses.ipv6, port) }

    func cancelQueries() {}

    private func answer(_ address: String, _ port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeCompletedFuture { [try SocketAddress(ipAddress: address, port: port)] }
    }
}
