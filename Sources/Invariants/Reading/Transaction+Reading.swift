import ChassisStorage
import Commerce

extension Transaction {
    /// Runs `body` for each row, one after another, keeping none.
    func each(_ query: SQL, _ body: (Row) throws -> Void) throws {
        _ = try all(query, body)
    }

    /// What `SELECT count(*)` gives.
    func count(_ query: SQL) throws -> Int {
        try value(query) ?? 0
    }

    /// Gathers the rows that follow one another with the same number in `column`, and runs `body` for each group. The query must be
    /// ordered by that column.
    func eachGroup<Element>(
        _ query: SQL, by column: String, _ map: (Row) throws -> Element, _ body: (Int64, [Element]) throws -> Void
    ) throws {
        var current: Int64?
        var group: [Element] = []
        try each(query) { row in
            let key: Int64 = try row[column]
            if let previous = current, previous != key {
                try body(previous, group)
                group.removeAll(keepingCapacity: true)
            }
            current = key
            group.append(try map(row))
        }
        if let current { try body(current, group) }
    }
}

extension Collection where Element: Sendable {
    /// The values for an `IN`, with the last one repeated up to the next power of two: so lists of all lengths are but a few statements,
    /// and those of the services that share the connection stay prepared.
    var padded: [Element] {
        guard let last = dropFirst(count - 1).first else { return [] }
        var size = 1
        while size < count { size *= 2 }
        return Array(self) + Array(repeating: last, count: size - count)
    }
}

/// An amount as a person reads it, also in a currency that nobody knows.
func amount(_ minorUnits: Int64, _ code: String) -> String {
    Currency(code: code).map { Money(minorUnits: minorUnits, currency: $0).description } ?? "\(minorUnits) \(code)"
}
