import NIOCore

/// A W3C trace context (`traceparent`, version 00).
struct TraceContext: Hashable, Sendable {
    let trace: Identifier128
    let parent: UInt64
    let flags: UInt8

    /// A new trace, sampled.
    init(startedBy generator: inout IdentifierGenerator) {
        // All zeros is not a valid id.
        trace = Identifier128(high: generator.next() | 1, low: generator.next())
        parent = generator.next() | 1
        flags = 1
    }

    /// Nil unless `text` is a valid `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, ids not zero.
    init?(_ text: UnsafeRawBufferPointer) {
        guard text.count == 55, text[0] == 0x30, text[1] == 0x30, text[2] == .hyphen, text[35] == .hyphen, text[52] == .hyphen,
            let high = Self.hex(text[3..<19]), let low = Self.hex(text[19..<35]), let parent = Self.hex(text[36..<52]),
            let flags = Self.hex(text[53..<55]), high | low != 0, parent != 0
        else { return nil }
        trace = Identifier128(high: high, low: low)
        self.parent = parent
        self.flags = UInt8(flags)
    }

    /// Lower case only, as the specification demands.
    private static func hex(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = byte.hexValue, byte == byte.lowercased else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    func write(to cursor: inout ByteCursor) {
        cursor.write(literal: "00-")
        cursor.writeHex(trace.high)
        cursor.writeHex(trace.low)
        cursor.write(literal: "-")
        cursor.writeHex(parent)
        cursor.write(literal: flags & 1 == 1 ? "-01" : "-00")
    }
}
