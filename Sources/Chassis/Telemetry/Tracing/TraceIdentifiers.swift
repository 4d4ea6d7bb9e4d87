/// What all spans of one distributed operation share: 16 bytes, not all zero.
public struct TraceID: Hashable, Sendable, CustomStringConvertible {
    let high: UInt64
    /// The half that sampling decides by, because it is the random one in ids that carry a time.
    let low: UInt64

    init?(high: UInt64, low: UInt64) {
        guard high != 0 || low != 0 else { return nil }
        self.high = high
        self.low = low
    }

    /// Reads 32 lower-case hexadecimal digits that are not all zero.
    public init?(_ text: String) {
        self.init(digits: Array(text.utf8)[...])
    }

    init?(digits: ArraySlice<UInt8>) {
        guard digits.count == 32, let high = Hexadecimal.value(digits.prefix(16)), let low = Hexadecimal.value(digits.suffix(16)) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    public static func random(_ randomness: Randomness) -> TraceID {
        while true {
            if let id = TraceID(high: randomness.next(), low: randomness.next()) { return id }
        }
    }

    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        Hexadecimal.append(high, to: &bytes)
        Hexadecimal.append(low, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What one span is known by within its trace: 8 bytes, not all zero.
public struct SpanID: Hashable, Sendable, CustomStringConvertible {
    let value: UInt64

    init?(_ value: UInt64) {
        guard value != 0 else { return nil }
        self.value = value
    }

    /// Reads 16 lower-case hexadecimal digits that are not all zero.
    public init?(_ text: String) {
        self.init(digits: Array(text.utf8)[...])
    }

    init?(digits: ArraySlice<UInt8>) {
        guard digits.count == 16, let value = Hexadecimal.value(digits) else { return nil }
        self.init(value)
    }

    public static func random(_ randomness: Randomness) -> SpanID {
        while true {
            if let id = SpanID(randomness.next()) { return id }
        }
    }

    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        Hexadecimal.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
