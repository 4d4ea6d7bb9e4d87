/// Reads the escapes of a JSON string that the parser has checked (RFC 8259, section 7).
enum JSONEscapes {
    static func string(_ text: ArraySlice<UInt8>) -> String {
        var utf8: [UInt8] = []
        utf8.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index] == UInt8(ascii: "\\") else {
                utf8.append(text[index])
                index += 1
                continue
            }
            switch text[index + 1] {
            case UInt8(ascii: "b"): utf8.append(0x08)
            case UInt8(ascii: "f"): utf8.append(0x0C)
            case UInt8(ascii: "n"): utf8.append(0x0A)
            case UInt8(ascii: "r"): utf8.append(0x0D)
            case UInt8(ascii: "t"): utf8.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = codeUnit(text, at: index)
                if (0xD800..<0xDC00).contains(scalar) {
                    index += 6
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (codeUnit(text, at: index) - 0xDC00)
                }
                utf8.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
                index += 4
            case let itself: utf8.append(itself)
            }
            index += 2
        }
        return String(decoding: utf8, as: UTF8.self)
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private static func codeUnit(_ text: ArraySlice<UInt8>, at place: Int) -> UInt32 {
        text[(place + 2)..<(place + 6)].reduce(0) { $0 << 4 | (hexadecimalDigit($1) ?? 0) }
    }
}
