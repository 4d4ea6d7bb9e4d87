/// How many pieces of something: at least 1 and at most `largest`.
public struct Quantity: Hashable, Sendable, Comparable {
    /// The largest quantity of one line or movement.
    public static let largest: Int64 = 1_000_000

    public let rawValue: Int64

    /// Fails unless `rawValue` is in 1…`largest`.
    public init?(rawValue: Int64) {
        guard (1...Self.largest).contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The sum; nil beyond `largest`.
    public func adding(_ other: Quantity) -> Quantity? { Quantity(rawValue: rawValue + other.rawValue) }
}

extension Quantity: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

extension Quantity: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let quantity = Quantity(rawValue: try container.decode(Int64.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a quantity is between 1 and \(Self.largest)")
        }
        self = quantity
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
