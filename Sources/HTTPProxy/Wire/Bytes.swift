#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The byte classes of RFC 9110 and RFC 9112, as bit tests: no table in memory, no bounds check.
extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0A }
    static var carriageReturn: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }
    static var percent: UInt8 { 0x25 }
    static var comma: UInt8 { 0x2C }
    static var hyphen: UInt8 { 0x2D }
    static var dot: UInt8 { 0x2E }
    static var slash: UInt8 { 0x2F }
    static var colon: UInt8 { 0x3A }
    static var semicolon: UInt8 { 0x3B }
    static var questionMark: UInt8 { 0x3F }
    static var backslash: UInt8 { 0x5C }

    /// `tchar` of RFC 9110 section 5.6.2: what a method or a field name is made of.
    @inline(__always)
    var isToken: Bool {
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        guard self < 128 else { return false }
        return ((self < 64 ? low : high) &>> UInt64(self & 63)) & 1 == 1
    }

    /// What may stand in a field value: a tab, visible ASCII, space, or an opaque byte from 0x80 on.
    @inline(__always)
    var isFieldValue: Bool { (self >= 0x20 && self != 0x7F) || self == .tab }

    @inline(__always)
    var isVisible: Bool { self > 0x20 && self < 0x7F }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    @inline(__always)
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    var isAlphanumeric: Bool { isDigit || (self | 0x20) &- 0x61 < 26 }

    /// `unreserved` of RFC 3986 section 2.3: its percent-encoding means the same as the byte itself.
    var isUnreserved: Bool { isAlphanumeric || self == .hyphen || self == .dot || self == 0x5F || self == 0x7E }

    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The index of the next line feed at or after `start`.
    @inline(__always)
    func firstLineFeed(from start: Int) -> Int? {
        guard let base = baseAddress, start < count else { return nil }
        guard let found = memchr(base + start, Int32(UInt8.lineFeed), count - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// Whether these bytes spell `lowercase`, ignoring the case of ASCII letters. `lowercase` must be lower case already.
    @inline(__always)
    func spells(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        return hasPrefix(lowercase)
    }

    @inline(__always)
    func hasPrefix(_ lowercase: StaticString) -> Bool {
        guard count >= lowercase.utf8CodeUnitCount else { return false }
        let expected = lowercase.utf8Start
        for index in 0..<lowercase.utf8CodeUnitCount where self[index].lowercased != expected[index] {
            return false
        }
        return true
    }

    /// Whether all of these bytes may stand in a field value. Eight are looked at together, as long as none of them is a control byte.
    var areFieldValues: Bool {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var index = 0
        while index + 8 <= count {
            let eight = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // A byte's top bit is set when it is below 0x20, and when it is 0x7F; carries from other bytes can only set more.
            let controls = (eight &- ones &* 0x20) & ~eight
            let deletes = eight ^ ones &* 0x7F
            if (controls | (deletes &- ones) & ~deletes) & tops != 0 {
                for offset in index..<(index + 8) where !self[offset].isFieldValue { return false }
            }
            index += 8
        }
        while index < count {
            guard self[index].isFieldValue else { return false }
            index += 1
        }
        return true
    }

    /// Whether these bytes equal `name`, ignoring the case of ASCII letters.
    func equalsIgnoringCase(_ name: some Collection<UInt8>) -> Bool {
        guard count == name.count else { return false }
        for (mine, other) in zip(self, name) where mine.lowercased != other.lowercased {
            return false
        }
        return true
    }

    @inline(__always)
    subscript(part range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range.start..<range.end])
    }

    /// Whether the comma-separated list has an element of which `holds` is true.
    func listContains(_ holds: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        var found = false
        forEachListElement { if holds($0) { found = true } }
        return found
    }

    /// Calls `body` with each element of a comma-separated list, without the white space around it.
    func forEachListElement(_ body: (UnsafeRawBufferPointer) -> Void) {
        var start = 0
        while start <= count {
            var end = start
            while end < count, self[end] != .comma { end += 1 }
            var range = ByteRange(start: start, end: end)
            range.trim(in: self)
            if range.count > 0 { body(self[part: range]) }
            start = end + 1
        }
    }
}

/// A range of byte offsets in a message head; 8 bytes, as every head holds dozens.
struct ByteRange: Hashable, Sendable {
    private var lower: UInt32
    private var upper: UInt32

    @inline(__always)
    init(start: Int, end: Int) {
        lower = UInt32(truncatingIfNeeded: start)
        upper = UInt32(truncatingIfNeeded: end)
    }

    @inline(__always)
    var start: Int { Int(lower) }
    @inline(__always)
    var end: Int { Int(upper) }
    @inline(__always)
    var count: Int { Int(upper) - Int(lower) }

    /// Drops optional white space (`OWS`) at both ends.
    @inline(__always)
    mutating func trim(in bytes: UnsafeRawBufferPointer) {
        while lower < upper, bytes[Int(lower)] == .space || bytes[Int(lower)] == .tab { lower += 1 }
        while lower < upper, bytes[Int(upper) - 1] == .space || bytes[Int(upper) - 1] == .tab { upper -= 1 }
    }
}
