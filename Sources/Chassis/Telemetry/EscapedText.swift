/// Appends text to a line of bytes so that nothing in it can end the line, steer a terminal or hide what stands beside it.
///
/// Log injection (CWE-117) works through characters that a reader's tool obeys. Escaped are therefore the C0 and C1 control characters,
/// DEL, the Unicode line and paragraph separators, and the bidirectional overrides and isolates, all in JSON's notation (RFC 8259, section 7).
/// The scan goes over UTF-8 and copies whole runs of harmless bytes.
enum EscapedText {
    /// - Parameters:
    ///   - quoted: also escapes `"` and `\`, as inside a JSON string.
    ///   - limit: at most so many bytes of `text` are kept; a cut shows as `…`.
    static func append(_ text: String, to bytes: inout [UInt8], quoted: Bool, limit: Int = .max) {
        var text = text
        text.withUTF8 { utf8 in
            let end = cut(utf8, at: limit)
            var start = 0
            var index = 0
            while index < end {
                let length = lengthOfUnsafeCharacter(utf8, at: index, quoted: quoted)
                guard length > 0 else {
                    index += 1
                    continue
                }
                bytes.append(contentsOf: utf8[start..<index])
                appendEscape(of: utf8[index..<min(index + length, end)], to: &bytes)
                index += length
                start = index
            }
            if start < end { bytes.append(contentsOf: utf8[start..<end]) }
            if end < utf8.count { bytes.append(contentsOf: "…".utf8) }
        }
    }

    /// The last character boundary at or before `limit`.
    private static func cut(_ utf8: UnsafeBufferPointer<UInt8>, at limit: Int) -> Int {
        guard utf8.count > limit else { return utf8.count }
        var end = limit
        while end > 0, utf8[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
        return end
    }

    /// How many bytes the character at `index` has if it must be escaped; 0 if it may stand.
    private static func lengthOfUnsafeCharacter(_ utf8: UnsafeBufferPointer<UInt8>, at index: Int, quoted: Bool) -> Int {
        switch utf8[index] {
        case 0..<0x20, 0x7F:
            return 1
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            return quoted ? 1 : 0
        case 0xC2 where index + 1 < utf8.count && utf8[index + 1] <= 0x9F:
            return 2  // U+0080…U+009F
        case 0xE2 where index + 2 < utf8.count:
            let isSeparatorOrOverride = utf8[index + 1] == 0x80 && (0xA8...0xAE).contains(utf8[index + 2])  // U+2028…U+202E
            let isIsolate = utf8[index + 1] == 0x81 && (0xA6...0xA9).contains(utf8[index + 2])  // U+2066…U+2069
            return isSeparatorOrOverride || isIsolate ? 3 : 0
        default:
            return 0
        }
    }

    private static func appendEscape(of character: Slice<UnsafeBufferPointer<UInt8>>, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch character.first {
        case UInt8(ascii: "\""): bytes.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(UInt8(ascii: "u"))
            let scalar = String(decoding: character, as: UTF8.self).unicodeScalars.first?.value ?? 0xFFFD
            for shift in [12, 8, 4, 0] as [UInt32] { bytes.append(Hexadecimal.digit(UInt8((scalar >> shift) & 15))) }
        }
    }
}
