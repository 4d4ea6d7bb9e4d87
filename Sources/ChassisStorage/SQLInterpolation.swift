/// How a literal becomes ``SQL``: see there for what may stand in it.
extension SQL: ExpressibleByStringInterpolation {
    public init(stringLiteral literal: StaticString) {
        self.init()
        append(literal: literal)
    }

    public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sql }

    public struct StringInterpolation: StringInterpolationProtocol {
        var sql: SQL

        public init(literalCapacity: Int, interpolationCount: Int) {
            var text = ""
            text.reserveCapacity(literalCapacity + interpolationCount)
            var values: [SQLValue] = []
            values.reserveCapacity(interpolationCount)
            var placeholders: [Int] = []
            placeholders.reserveCapacity(interpolationCount)
            sql = SQL(text: text, values: values, placeholders: placeholders)
        }

        public mutating func appendLiteral(_ literal: StaticString) { sql.append(literal: literal) }

        /// Binds a value.
        public mutating func appendInterpolation(_ value: some SQLValueConvertible) { sql.append(value: value.sqlValue) }

        /// Binds a value that may be missing: `nil` is NULL. It says no more than the one above, but only a parameter that is optional by
        /// its type keeps the compiler from warning that an optional is interpolated.
        public mutating func appendInterpolation(_ value: (some SQLValueConvertible)?) { sql.append(value: value.sqlValue) }

        /// Splices a statement with its values.
        public mutating func appendInterpolation(_ statement: SQL) { sql.append(statement) }

        /// Binds every value of a list, in parentheses, for `IN`. An empty list becomes `(NULL)`: `x IN (NULL)` is never true.
        public mutating func appendInterpolation(list values: some Sequence<some SQLValueConvertible>) {
            sql.append(literal: "(")
            var isFirst = true
            for value in values {
                if !isFirst { sql.append(literal: ", ") }
                isFirst = false
                sql.append(value: value.sqlValue)
            }
            sql.append(literal: isFirst ? "NULL)" : ")")
        }

        /// Splices a quoted name of a table or column.
        public mutating func appendInterpolation(identifier: StaticString) {
            let quoted = identifier.description.replacing("\"", with: "\"\"")
            sql.append(SQL(text: "\"\(quoted)\""))
        }
    }
}
