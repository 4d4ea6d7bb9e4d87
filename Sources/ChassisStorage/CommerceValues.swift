public import Commerce

/// How the values of `Commerce` are stored.

extension Identifier: SQLValueConvertible {
    public var sqlValue: SQLValue { .integer(rawValue) }

    public init(sqlValue: SQLValue) throws {
        guard let id = Self(rawValue: try Int64(sqlValue: sqlValue)) else {
            throw StorageError.conversion("found an integer that is no id: ids are positive")
        }
        self = id
    }
}

/// Stored as whole milliseconds since 1970 in an integer column.
extension Timestamp: SQLValueConvertible {
    public var sqlValue: SQLValue { .integer(millisecondsSinceEpoch) }

    public init(sqlValue: SQLValue) throws {
        self.init(millisecondsSinceEpoch: try Int64(sqlValue: sqlValue))
    }
}

/// Stored as its ISO 4217 code.
extension Currency: SQLValueConvertible {
    public var sqlValue: SQLValue { .text(code) }

    public init(sqlValue: SQLValue) throws {
        guard let currency = Currency(code: try String(sqlValue: sqlValue)) else {
            throw StorageError.conversion("found a text that is no currency's code")
        }
        self = currency
    }
}
