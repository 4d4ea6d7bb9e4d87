/// Strings, numbers and words. Each begins at `index` and leaves it behind the value.
extension JSONParser {
    mutating func appendLiteral(_ word: StaticString, _ kind: JSONToken.Kind) throws(JSONError) {
        let end = index + word.utf8CodeUnitCount
        guard end <= bytes.count else { throw error(.valueExpected) }
        for offset in 0..<word.utf8CodeUnitCount where bytes[index + offset] != word.utf8Start[offset] { throw error(.valueExpected) }
        append(JSONToken(kind: kind, start: UInt32(index), end: UInt32(end), next: nextToken))
        index = end
    }

    // MARK: Numbers

    /// `-`? (`0` or digits without a leading zero) fraction? exponent?
    mutating func appendNumber() throws(JSONError) {
        let start = index
        var kind = JSONToken.Kind.integer
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        if index < bytes.count, bytes[index] == UInt8(ascii: "0") {
            index += 1
            guard !isDigitNext else { throw error(.wrongNumber) }
        } else {
            try skipDigits()
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            kind = .number
            index += 1
            try skipDigits()
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            kind = .number
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
            try skipDigits()
        }
        append(JSONToken(kind: kind, start: UInt32(start), end: UInt32(index), next: nextToken))
    }

    private var isDigitNext: Bool { index < bytes.count && bytes[index] &- UInt8(ascii: "0") <= 9 }

    /// One digit at least.
    private mutating func skipDigits() throws(JSONError) {
        guard isDigitNext else { throw error(.wrongNumber) }
        repeat { index += 1 } while isDigitNext
    }

    // MARK: Strings

    mutating func appendString() throws(JSONError) {
        index += 1
        let start = index
        var hasEscapes = false
        var isASCII = true
        while true {
            index = PlainRun.end(in: bytes, from: index, stopsAtNonASCII: true)
            guard index < bytes.count else { throw error(.stringNotEnded) }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                append(
                    JSONToken(
                        kind: .string, hasEscapes: hasEscapes, isPlain: isASCII && !hasEscapes, start: UInt32(start), end: UInt32(index),
                        next: nextToken))
                index += 1
                return
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0x80...:
                isASCII = false
                try skipCharacterBeyondASCII()
            default:
                throw error(.controlCharacter)
            }
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        guard index + 1 < bytes.count else { throw error(.stringNotEnded) }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(at: index)
            switch unit {
            case 0xD800..<0xDC00:
                guard index + 7 < bytes.count, bytes[index + 6] == UInt8(ascii: "\\"), bytes[index + 7] == UInt8(ascii: "u"),
                    (0xDC00..<0xE000).contains(try codeUnit(at: index + 6))
                else { throw error(.loneSurrogate) }
                index += 12
            case 0xDC00..<0xE000: throw error(.loneSurrogate)
            default: index += 6
            }
        default: throw error(.wrongEscape)
        }
    }

    /// The UTF-16 code unit of the `\uXXXX` at `place`.
    private func codeUnit(at place: Int) throws(JSONError) -> UInt32 {
        guard place + 6 <= bytes.count else { throw error(.wrongEscape) }
        var unit: UInt32 = 0
        for offset in 2..<6 {
            guard let digit = JSONEscapes.hexadecimalDigit(bytes[place + offset]) else { throw error(.wrongEscape) }
            unit = unit << 4 | digit
        }
        return unit
    }

    /// One well-formed sequence of table 3-7 of the Unicode Standard: no overlong forms, no surrogates, nothing beyond U+10FFFF.
    private mutating func skipCharacterBeyondASCII() throws(JSONError) {
        let lead = bytes[index]
        let second: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw error(.notUTF8)
        }
        guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { throw error(.notUTF8) }
        for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { throw error(.notUTF8) }
        index += length
    }
}
