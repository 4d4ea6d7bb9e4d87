import NIOCore
import NIOPosix

@testable import HTTPProxy

/// An endpoint where nobody listens and nobody can: its port is that of a client's connection. One that was only listened at before could be given
/// to any other test.
final class Nobody: Sendable {
    let endpoint: Endpoint
    private let client: any Channel
    private let server: TestUpstream

    private init(_ client: any Channel, port: Int, server: TestUpstream) {
        self.client = client
        self.server = server
        endpoint = Endpoint(host: "127.0.0.1", port: port)
    }

    static func start() async throws -> Nobody {
        let server = try await TestUpstream.start()
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: server.port).get()
        guard let port = client.localAddress?.port else { throw ChannelError.ioOnClosedChannel }
        return Nobody(client, port: port, server: server)
    }

    func stop() async throws {
        try await client.close()
        try await server.stop()
    }
}
