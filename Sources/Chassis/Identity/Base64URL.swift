import Foundation

/// Base64 with the URL alphabet and without padding, as JOSE uses it everywhere (RFC 7515 section 2).
enum Base64URL {
    static func encode(_ bytes: some DataProtocol) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-")
            .replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// The bytes of `text`, or nil unless it is exactly what `encode` writes.
    ///
    /// Padding, line breaks, the other alphabet and stray bits after the last byte are all refused: else one signature could be
    /// spelled in several ways, and one token would be many.
    static func decode(_ text: Substring.UTF8View) -> Data? {
        guard text.count % 4 != 1 else { return nil }
        var bytes = Data(capacity: text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var bitCount = 0
        for character in text {
            guard let sextet = sextet(of: character) else { return nil }
            bits = bits << 6 | UInt32(sextet)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        let strayBits = bits & ((1 << UInt32(bitCount)) - 1)
        return strayBits == 0 ? bytes : nil
    }

    static func decode(_ text: String) -> Data? { decode(Substring(text).utf8) }

    private static func sextet(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
