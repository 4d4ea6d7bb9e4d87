import Crypto
public import Foundation

/// The secret that all parts of one Souk share and prove themselves with. It has no way out: it prints as `(redacted)` everywhere.
public struct ServiceSecret: Sendable {
    /// In bytes. HS256 wants a key as long as its hash (RFC 7518 section 3.2).
    public static let minimumLength = 32

    public struct TooShort: Error, CustomStringConvertible {
        public var description: String { "The service secret must have at least \(ServiceSecret.minimumLength) bytes" }
    }

    let key: SymmetricKey

    /// - Throws: `TooShort` below 32 bytes of UTF-8.
    public init(_ text: String) throws(TooShort) {
        guard text.utf8.count >= Self.minimumLength else { throw TooShort() }
        key = SymmetricKey(data: Data(text.utf8))
    }

    private init(key: SymmetricKey) {
        self.key = key
    }

    /// A secret of its own for one purpose, from which this one cannot be found (HKDF, RFC 5869).
    public func derived(for purpose: String) -> ServiceSecret {
        ServiceSecret(key: HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data(purpose.utf8), outputByteCount: 32))
    }

    /// The code that shows who wrote `bytes`: HMAC-SHA-256 (RFC 2104).
    public func code(for bytes: Data) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }

    /// Compares in constant time.
    public func isValid(code: Data, for bytes: Data) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: bytes, using: key)
    }
}

extension ServiceSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(redacted)" }
    public var debugDescription: String { "(redacted)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
