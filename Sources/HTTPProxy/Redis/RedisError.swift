import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Why a Redis server is of no use.
struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    static let notRedis = Self(description: "what answers there does not speak Redis' protocol")
    static let silent = Self(description: "it did not answer in time")
    static let closed = Self(description: "it closed the connection")
    static let unexpected = Self(description: "it answered something else than was asked for")

    /// The server's own sentence, or as much as a log should have of it.
    static func refused(_ sentence: String) -> Self { Self(description: "it refused: \(sentence.prefix(200))") }

    /// No connection can be made, or not be used.
    static func unreachable(_ error: any Error) -> Self {
        switch error {
        case let several as NIOConnectionError:
            // What one address of the name said is as good as what the others did.
            several.connectionErrors.first.map { unreachable($0.error) } ?? Self(description: "no connection: its name has no address")
        case let error as IOError: Self(description: "no connection: \(String(cString: strerror(error.errnoCode)))")
        case ChannelError.connectTimeout: Self(description: "no connection within the time for one")
        case is ChannelError: .closed
        default: Self(description: "no connection: \(error)")
        }
    }
}
