import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Why a server cannot listen, and where: the system's own sentence, "Address already in use", leaves the address out.
public struct ListenError: Error, CustomStringConvertible {
    public let description: String

    private static let codes = [EADDRINUSE, EADDRNOTAVAIL, EACCES]

    /// Does what begins to listen at an address. Of its errors, those that are about the address name it.
    public static func naming<Result>(host: String, port: Int, _ listen: () async throws -> Result) async throws -> Result {
        do {
            return try await listen()
        } catch let error as IOError where codes.contains(error.errnoCode) {
            throw ListenError(description: "cannot listen at \(host), port \(port): \(String(cString: strerror(error.errnoCode)))")
        }
    }
}
