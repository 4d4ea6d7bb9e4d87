import HTTPTypes
public import Hummingbird
import Logging
import NIOCore

/// What the chassis knows of a request while it is handled.
public struct CallContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// Echoed to the client as `X-Request-Id` and part of every log line.
    public internal(set) var requestID: String = ""
    /// Who asks; `.anonymous` until the route's access has been checked.
    public internal(set) var caller: Caller = .anonymous
    /// The peer's address as seen by the socket: another part of Souk, most of the time.
    public let peerAddress: String?

    public init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.peerAddress = source.channel.remoteAddress?.ipAddress
    }

    /// Of a request that came by no socket.
    init(logger: Logger) {
        self.coreContext = CoreRequestContextStorage(source: WithoutSocket(logger: logger))
        self.peerAddress = nil
    }

    private struct WithoutSocket: RequestContextSource {
        let logger: Logger
    }
}
