import Chassis
import HTTPTypes
import Hummingbird

/// What makes a repeated request the same request.
public struct IdempotencyKey: Sendable, Hashable {
    /// The client's key, or a random one when it sent none. It is the key of what `prepare` does elsewhere, too.
    public let value: String
    /// Whether the client can repeat the request under this key; if not, nothing is remembered.
    public let isFromClient: Bool

    /// Octets that a client's key has at most.
    public static let longest = 255

    /// - Throws: 400 when the header is there and is not one to 255 printable ASCII characters.
    init(of request: Request, _ randomness: Randomness) throws(Problem) {
        guard let value = request.headers[.idempotencyKey] else {
            self.value = randomness.hex(bytes: 16)
            isFromClient = false
            return
        }
        guard (1...Self.longest).contains(value.utf8.count), value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .invalid("Idempotency-Key", "must be 1 to \(Self.longest) printable ASCII characters")
        }
        self.value = value
        isFromClient = true
    }
}
