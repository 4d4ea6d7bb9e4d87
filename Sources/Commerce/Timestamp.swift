public import Foundation

/// A moment in UTC with millisecond precision: what clocks give, databases store (as an integer) and the wire shows (RFC 3339).
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let millisecondsSinceEpoch: Int64

    public init(millisecondsSinceEpoch: Int64) {
        self.millisecondsSinceEpoch = millisecondsSinceEpoch
    }

    public init(_ date: Date) {
        self.init(millisecondsSinceEpoch: Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }

    public var date: Date { Date(timeIntervalSince1970: Double(millisecondsSinceEpoch) / 1000) }

    /// Whole seconds since the epoch, as in a JWT's NumericDate (RFC 7519).
    public var secondsSinceEpoch: Int64 { millisecondsSinceEpoch / 1000 }

    public static func < (left: Self, right: Self) -> Bool { left.millisecondsSinceEpoch < right.millisecondsSinceEpoch }

    /// Durations finer than a millisecond are cut.
    public static func + (moment: Self, duration: Duration) -> Self {
        Self(millisecondsSinceEpoch: moment.millisecondsSinceEpoch + duration.wholeMilliseconds)
    }

    public static func - (moment: Self, duration: Duration) -> Self {
        Self(millisecondsSinceEpoch: moment.millisecondsSinceEpoch - duration.wholeMilliseconds)
    }

    public static func - (later: Self, earlier: Self) -> Duration {
        .milliseconds(later.millisecondsSinceEpoch - earlier.millisecondsSinceEpoch)
    }
}

extension Duration {
    /// The duration in whole milliseconds; what is finer is cut.
    public var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let moment = Timestamp(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a time is RFC 3339 in UTC")
        }
        self = moment
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
