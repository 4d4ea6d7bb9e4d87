import Foundation

/// A stored password: the salt, the digest, and what it cost, so that the cost can be raised later and old hashes still verify.
///
/// Written in the PHC string format: `$scrypt$ln=15,r=8,p=3$SALT$DIGEST`, both in standard Base64 without padding
/// (github.com/P-H-C/phc-string-format). The letters are those of passlib and the format's own example for scrypt.
struct PasswordHash: Sendable, Hashable {
    static let saltBytes = 16
    static let digestBytes = 32

    let cost: ScryptCost
    let salt: [UInt8]
    let digest: [UInt8]

    init(cost: ScryptCost, salt: [UInt8], digest: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.digest = digest
    }

    var text: String {
        "$scrypt$ln=\(cost.logN),r=\(cost.blockSize),p=\(cost.parallelism)$\(Self.base64(salt))$\(Self.base64(digest))"
    }

    /// Reads `text`. Fails on another algorithm, on parameters out of range and on a digest of another size.
    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        guard let cost = Self.cost(parts[2]), let salt = Self.bytes(parts[3]), let digest = Self.bytes(parts[4]) else { return nil }
        guard salt.count >= 8, digest.count == Self.digestBytes else { return nil }
        self.init(cost: cost, salt: salt, digest: digest)
    }

    private static func cost(_ text: Substring) -> ScryptCost? {
        let parameters = text.split(separator: ",").map { $0.split(separator: "=") }
        guard parameters.map(\.first) == ["ln", "r", "p"], parameters.allSatisfy({ $0.count == 2 }) else { return nil }
        let values = parameters.compactMap { Int($0[1]) }
        guard values.count == 3 else { return nil }
        return ScryptCost(logN: values[0], blockSize: values[1], parallelism: values[2])
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { Array($0) }
    }
}

/// A hash is no secret like the password, but it has no place in a log either.
extension PasswordHash: CustomStringConvertible, CustomReflectable {
    var description: String { "[redacted]" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
