import NIOCore

// Heads are written in some thirty small pieces. A `ByteBuffer` asks at each whether its memory is shared and large enough, and moves its writer
// index; for pieces of a few bytes that is most of the work. Here room is asked for once, the pieces are put one behind the other, and what does not
// fit is only counted. In that rare case all is written once more, into as much room as was counted: so what writes through a cursor must write the same
// each time.

/// Puts pieces one behind the other into memory of a `ByteBuffer`, see `ByteBuffer.writePieces`.
struct ByteCursor: ~Copyable {
    private let room: UnsafeMutableRawBufferPointer
    /// How many bytes were written, or would have been if there were room.
    private(set) var count = 0

    fileprivate init(_ room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        let end = count + bytes.count
        if end <= room.count, let from = bytes.baseAddress, let start = room.baseAddress {
            (start + count).copyMemory(from: from, byteCount: bytes.count)
        }
        count = end
    }

    @inline(__always)
    mutating func write(literal text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ byte: UInt8) {
        withUnsafeBytes(of: byte) { write($0) }
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    mutating func write(_ text: String) {
        if text.utf8.withContiguousStorageIfAvailable({ write(UnsafeRawBufferPointer($0)) }) == nil {
            for byte in text.utf8 { write(byte) }
        }
    }

    /// A header field's line.
    mutating func writeField(_ name: String, _ value: String) {
        write(name)
        write(literal: ": ")
        write(value)
        write(literal: "\r\n")
    }

    /// 16 hexadecimal digits, lower case.
    mutating func writeHex(_ value: UInt64) {
        let digits = (Self.hexDigits(UInt32(value >> 32)), Self.hexDigits(UInt32(truncatingIfNeeded: value)))
        withUnsafeBytes(of: digits) { write($0) }
    }

    /// The eight hexadecimal digits of `value` as eight bytes in memory order, without a loop: each nibble is spread to a byte, then
    /// 0x30 is added, and 0x27 more where it is above 9.
    private static func hexDigits(_ value: UInt32) -> UInt64 {
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((nibbles &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        return (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }

    /// A number that is not negative, in decimal digits.
    mutating func writeDecimal(_ value: Int) {
        if value >= 10 { writeDecimal(value / 10) }
        write(UInt8(0x30 + value % 10))
    }

    /// A number that is not negative, in hexadecimal digits, without leading zeros.
    mutating func writeShortHex(_ value: Int) {
        if value >= 16 { writeShortHex(value >> 4) }
        let digit = UInt8(value & 15)
        write(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}

extension ByteBuffer {
    /// More than most heads have, and no more than a buffer for output has to begin with.
    private static var usualRoom: Int { 512 }

    /// Appends what `body` writes through the cursor. `body` may be called twice, and must write the same each time.
    @inline(__always)
    mutating func writePieces(_ body: (inout ByteCursor) -> Void) {
        let count = writePieces(room: Self.usualRoom, body)
        if count > 0 { _ = writePieces(room: count, body) }
    }

    /// - Returns: how many bytes there must be room for, 0 when all were written.
    @inline(__always)
    private mutating func writePieces(room: Int, _ body: (inout ByteCursor) -> Void) -> Int {
        var missing = 0
        writeWithUnsafeMutableBytes(minimumWritableBytes: room) { memory in
            var cursor = ByteCursor(memory)
            body(&cursor)
            let fits = cursor.count <= memory.count
            missing = fits ? 0 : cursor.count
            return fits ? cursor.count : 0
        }
        return missing
    }
}
