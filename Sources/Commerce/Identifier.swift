/// The id of one kind of thing: a positive 64-bit integer that cannot be mistaken for the id of another kind.
///
/// `Identifier<Order>` and `Identifier<Product>` are different types, so a compiler error takes the place of a wrong lookup.
public struct Identifier<Entity>: Hashable, Sendable, Comparable {
    public let rawValue: Int64

    /// Fails unless `rawValue` is positive.
    public init?(rawValue: Int64) {
        guard rawValue > 0 else { return nil }
        self.rawValue = rawValue
    }

    /// An id as it stands in a path: decimal digits only, positive, within 64 bits. `-1`, `1e3`, `+1` and `abc` are none.
    public init?(_ text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int64(text) else {
            return nil
        }
        self.init(rawValue: value)
    }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Identifier: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = Self(rawValue: try container.decode(Int64.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "an id is a positive integer")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// The kinds of things that have ids. They have no values: they only tell ids apart.
public enum UserEntity {}
public enum ProductEntity {}
public enum OrderEntity {}
public enum PaymentEntity {}
public enum RefundEntity {}
public enum NotificationEntity {}

public typealias UserID = Identifier<UserEntity>
public typealias ProductID = Identifier<ProductEntity>
public typealias OrderID = Identifier<OrderEntity>
public typealias PaymentID = Identifier<PaymentEntity>
public typealias RefundID = Identifier<RefundEntity>
public typealias NotificationID = Identifier<NotificationEntity>
