/// What is never written to a log line or a span, whatever the caller passes: values under a key that names a secret or personal data.
///
/// A key counts when one of the words stands anywhere in it, in any case: `accessToken`, `customer_email`, `X-Api-Key`. That also hides a harmless
/// `token_count`; of the two mistakes it is the one that can be undone.
public enum Redaction {
    /// What stands in place of the value.
    public static let placeholder = "[redacted]"

    private static let words: [[UInt8]] = [
        "password", "passwd", "passphrase", "token", "secret", "authorization", "credential", "cookie", "email", "phone",
        "apikey", "api_key", "api-key", "api.key",
    ].map { Array($0.utf8) }

    public static func isSensitive(_ key: String) -> Bool {
        var key = key
        return key.withUTF8 { utf8 in
            utf8.indices.contains { start in words.contains { matches($0, in: utf8, at: start) } }
        }
    }

    private static func matches(_ word: [UInt8], in key: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        guard lowercase(key[start]) == word[0], key.count - start >= word.count else { return false }
        return word.indices.allSatisfy { lowercase(key[start + $0]) == word[$0] }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
