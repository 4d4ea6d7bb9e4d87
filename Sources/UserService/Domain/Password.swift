import Foundation

/// A password as it is hashed, and never printed.
///
/// It is brought to Unicode's form NFC first, as RFC 8265 (OpaqueString) asks, so that an `é` typed on one keyboard is the `é` typed on
/// another.
struct Password: Sendable {
    /// How many characters a password may have.
    static let lengths = 8...128

    let bytes: [UInt8]

    /// - Parameter text: its length is for the reader of the request to check: `lengths` when it is chosen, 1 or more when it is tried.
    init(_ text: String) {
        bytes = Array(text.precomposedStringWithCanonicalMapping.utf8)
    }
}

extension Password: CustomStringConvertible, CustomReflectable {
    var description: String { "[redacted]" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
