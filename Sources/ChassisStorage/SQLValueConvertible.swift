public import Foundation

/// A type that can be bound to a statement and read from a column.
///
/// A domain type conforms by naming its stored form once, next to the SQL that uses it. An enumeration with a `String` or
/// integer raw value needs no code at all:
///
/// ```swift
/// extension OrderStatus: SQLValueConvertible {}
/// ```
public protocol SQLValueConvertible: Sendable {
    /// The value as the database stores it.
    var sqlValue: SQLValue { get }

    /// Reads a stored value.
    ///
    /// - Throws: ``StorageError`` when the column holds something that this type cannot be.
    init(sqlValue: SQLValue) throws
}

extension StorageError {
    /// The error of `init(sqlValue:)`. It names the kinds, never the value.
    public static func mismatch(_ value: SQLValue, expected: Any.Type) -> StorageError {
        .conversion("found \(value.kind) where \(expected) was expected")
    }
}

extension SQLValue: SQLValueConvertible {
    public var sqlValue: SQLValue { self }
    public init(sqlValue: SQLValue) { self = sqlValue }
}

extension Int64: SQLValueConvertible {
    public var sqlValue: SQLValue { .integer(self) }

    public init(sqlValue: SQLValue) throws {
        guard case .integer(let value) = sqlValue else { throw StorageError.mismatch(sqlValue, expected: Self.self) }
        self = value
    }
}

extension Int: SQLValueConvertible {
    public var sqlValue: SQLValue { .integer(Int64(self)) }

    public init(sqlValue: SQLValue) throws {
        guard case .integer(let value) = sqlValue, let exact = Int(exactly: value) else {
            throw StorageError.mismatch(sqlValue, expected: Self.self)
        }
        self = exact
    }
}

/// Stored as 0 or 1 in both dialects, so that a statement that compares it reads the same everywhere.
extension Bool: SQLValueConvertible {
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }

    public init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .integer(0): self = false
        case .integer(1): self = true
        default: throw StorageError.mismatch(sqlValue, expected: Self.self)
        }
    }
}

/// An integer column reads as a `Double` only where that is exact.
extension Double: SQLValueConvertible {
    public var sqlValue: SQLValue { .real(self) }

    public init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .real(let value): self = value
        case .integer(let value):
            guard let exact = Double(exactly: value) else { throw StorageError.mismatch(sqlValue, expected: Self.self) }
            self = exact
        default: throw StorageError.mismatch(sqlValue, expected: Self.self)
        }
    }
}

extension String: SQLValueConvertible {
    public var sqlValue: SQLValue { .text(self) }

    public init(sqlValue: SQLValue) throws {
        guard case .text(let value) = sqlValue else { throw StorageError.mismatch(sqlValue, expected: Self.self) }
        self = value
    }
}

extension [UInt8]: SQLValueConvertible {
    public var sqlValue: SQLValue { .blob(self) }

    public init(sqlValue: SQLValue) throws {
        guard case .blob(let value) = sqlValue else { throw StorageError.mismatch(sqlValue, expected: Self.self) }
        self = value
    }
}

extension Data: SQLValueConvertible {
    public var sqlValue: SQLValue { .blob([UInt8](self)) }

    public init(sqlValue: SQLValue) throws {
        self.init(try [UInt8](sqlValue: sqlValue))
    }
}

/// `nil` is NULL.
extension Optional: SQLValueConvertible where Wrapped: SQLValueConvertible {
    public var sqlValue: SQLValue {
        switch self {
        case .none: .null
        case .some(let value): value.sqlValue
        }
    }

    public init(sqlValue: SQLValue) throws {
        if case .null = sqlValue {
            self = .none
        } else {
            self = .some(try Wrapped(sqlValue: sqlValue))
        }
    }
}

extension RawRepresentable where Self: SQLValueConvertible, RawValue: SQLValueConvertible {
    public var sqlValue: SQLValue { rawValue.sqlValue }

    public init(sqlValue: SQLValue) throws {
        guard let value = Self(rawValue: try RawValue(sqlValue: sqlValue)) else {
            throw StorageError.conversion("found a value that is no \(Self.self)")
        }
        self = value
    }
}
