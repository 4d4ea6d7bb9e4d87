/// Finds the end of a run of bytes that a JSON string can hold as they are, eight bytes at a time.
///
/// The arithmetic is the old one for "has this word a byte less than n" (Bit Twiddling Hacks, "Determine if a word has a byte less than n"):
/// a subtraction borrows into the top bit of each byte that is too small. A borrow can run on into the bytes above, so only the lowest
/// mark is to be believed, and only the lowest is asked for.
enum PlainRun {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The first place at or after `start` with a quote, a backslash or a control character, and with `stopsAtNonASCII` also one of a
    /// character beyond ASCII; the end if there is none.
    @inline(__always)
    static func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int, stopsAtNonASCII: Bool) -> Int {
        let raw = UnsafeRawBufferPointer(bytes)
        var index = start
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            var marks = (word &- (ones &* 0x20)) & ~word
            marks |= (quotes &- ones) & ~quotes
            marks |= (backslashes &- ones) & ~backslashes
            if stopsAtNonASCII { marks |= word }
            marks &= tops
            if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || (stopsAtNonASCII && byte >= 0x80) { return index }
            index += 1
        }
        return index
    }
}
