/// A statement and the values bound to it.
///
/// Written as a string literal; whatever is interpolated is *bound*, never spliced into the text, so that SQL injection cannot
/// be written:
///
/// ```swift
/// let query: SQL = "SELECT id, name FROM products WHERE price <= \(limit) AND category = \(category)"
/// ```
///
/// | interpolation | becomes |
/// | --- | --- |
/// | `\(value)` | a bound value of any ``SQLValueConvertible`` type; `nil` is NULL |
/// | `\(statement)` of type `SQL` | that statement's text with its values |
/// | `\(list: values)` | `(?, ?, …)` with every value bound; an empty list is `(NULL)`, which matches nothing |
/// | `\(identifier: "name")` | a quoted name, from a literal only |
///
/// Literals are taken as `StaticString`: no initialiser and no interpolation accepts a `String` made at run time as SQL.
/// Values are written as `?`; each driver turns them into its own placeholders. A literal `?` belongs into quotes.
public struct SQL: Sendable, Hashable {
    /// The text with a `?` for each value.
    private(set) var text: String
    /// The values in the order of their placeholders.
    private(set) var values: [SQLValue]
    /// UTF-8 offsets of the placeholders in ``text``, ascending: what a driver with numbered placeholders needs.
    private(set) var placeholders: [Int]

    init(text: String = "", values: [SQLValue] = [], placeholders: [Int] = []) {
        self.text = text
        self.values = values
        self.placeholders = placeholders
    }

    mutating func append(literal: StaticString) {
        literal.withUTF8Buffer { text += String(decoding: $0, as: UTF8.self) }
    }

    mutating func append(value: SQLValue) {
        placeholders.append(text.utf8.count)
        values.append(value)
        text += "?"
    }

    mutating func append(_ other: SQL) {
        let start = text.utf8.count
        placeholders.append(contentsOf: other.placeholders.lazy.map { $0 + start })
        values.append(contentsOf: other.values)
        text += other.text
    }

    public static func + (left: SQL, right: SQL) -> SQL {
        var joined = left
        joined.append(right)
        return joined
    }

    public static func += (left: inout SQL, right: SQL) { left.append(right) }

    /// Whether there is no text at all, as in a condition that was left out.
    public var isEmpty: Bool { text.isEmpty }
}

extension SQL: CustomStringConvertible {
    /// The text with a `?` for each value; the values are left out because they may be personal.
    public var description: String { text }
}

extension Sequence<SQL> {
    /// The statements one after another with `separator` between them, such as conditions with `" AND "`.
    public func joined(separator: SQL = "") -> SQL {
        var joined = SQL()
        var isFirst = true
        for statement in self {
            if !isFirst { joined.append(separator) }
            isFirst = false
            joined.append(statement)
        }
        return joined
    }
}
