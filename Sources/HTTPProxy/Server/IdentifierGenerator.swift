import NIOCore

/// Makes request ids and trace ids. They must not repeat, but nobody gains by guessing one, so a fast generator (xoshiro256**,
/// Blackman and Vigna 2018) seeded from the system's does.
struct IdentifierGenerator {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    init(seededBy generator: inout some RandomNumberGenerator) {
        // All zeros is the one state it never leaves.
        state = (generator.next() | 1, generator.next(), generator.next(), generator.next())
    }

    mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }
}

extension IdentifierGenerator {
    /// From 0 up to, not including, 1.
    mutating func nextFraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// 75 random bits as 15 characters of Crockford's base 32: as long as a string may be without needing memory of its own.
    mutating func nextRequestID() -> String {
        let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
        var bits = next()
        return String(unsafeUninitializedCapacity: 15) { buffer in
            for index in 0..<15 {
                if index == 8 { bits = next() }
                buffer[index] = alphabet.utf8Start[Int(bits & 31)]
                bits >>= 5
            }
            return 15
        }
    }
}

/// 128 bits, written as 32 hexadecimal digits.
struct Identifier128: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    var text: String {
        var buffer = ByteBuffer()
        buffer.writeHex(high)
        buffer.writeHex(low)
        return String(buffer: buffer)
    }
}

extension ByteBuffer {
    /// 16 hexadecimal digits, lower case.
    mutating func writeHex(_ value: UInt64) {
        var spread: (UInt64, UInt64) = (Self.hexDigits(UInt32(value >> 32)), Self.hexDigits(UInt32(truncatingIfNeeded: value)))
        _ = withUnsafeBytes(of: &spread) { writeBytes($0) }
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
        writeInteger(UInt8(0x30 + value % 10))
    }

    /// A number that is not negative, in hexadecimal digits, without leading zeros.
    mutating func writeShortHex(_ value: Int) {
        if value >= 16 { writeShortHex(value >> 4) }
        let digit = UInt8(value & 15)
        writeInteger(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}
