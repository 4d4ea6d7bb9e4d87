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
        buffer.writePieces {
            $0.writeHex(high)
            $0.writeHex(low)
        }
        return String(buffer: buffer)
    }
}
