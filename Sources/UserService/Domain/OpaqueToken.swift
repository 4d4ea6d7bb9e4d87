import Chassis
import Crypto
import Foundation

/// A secret that proves something by being known: 256 random bits, shown once to whom it is for. Only its SHA-256 is ever stored.
///
/// A plain hash is enough, because nobody can guess 256 random bits; a password would need scrypt.
struct OpaqueToken: Sendable {
    /// 43 characters of base64url.
    let text: String

    init(_ randomness: Randomness) {
        text = Data(randomness.bytes(32)).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// A token that somebody shows.
    init(presented text: String) {
        self.text = text
    }

    /// What is stored and looked up.
    var hash: [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }
}

extension OpaqueToken: CustomStringConvertible, CustomReflectable {
    var description: String { "[redacted]" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
