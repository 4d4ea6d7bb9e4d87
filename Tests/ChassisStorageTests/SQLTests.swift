import Testing

@testable import ChassisStorage

@Suite("Statements")
struct SQLTests {
    @Test("what is interpolated is bound, in order")
    func binding() {
        let name = "Ada"
        let nothing: Int? = nil
        let statement: SQL = "INSERT INTO t VALUES (\(1), \(name), \(nothing), \(2.5), \(true), \([UInt8(9)]))"
        #expect(statement.text == "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)")
        #expect(statement.values == [.integer(1), .text("Ada"), .null, .real(2.5), .integer(1), .blob([9])])
    }

    @Test("an interpolated literal is a value, not SQL")
    func literals() {
        let statement: SQL = "SELECT \("1; DROP TABLE t")"
        #expect(statement.text == "SELECT ?")
        #expect(statement.values == [.text("1; DROP TABLE t")])
    }

    @Test("statements are spliced with their values, and every placeholder is known by its offset")
    func splicing() {
        let condition: SQL = "ż = \(2)"
        let statement: SQL = "SELECT \(1) WHERE \(condition) LIMIT \(3)"
        #expect(statement.text == "SELECT ? WHERE ż = ? LIMIT ?")
        #expect(statement.values == [.integer(1), .integer(2), .integer(3)])
        let bytes = Array(statement.text.utf8)
        #expect(statement.placeholders.count == 3)
        #expect(statement.placeholders.allSatisfy { bytes[$0] == UInt8(ascii: "?") })
    }

    @Test("lists, names and joins")
    func pieces() {
        #expect(("x IN \(list: [1, 2])" as SQL).text == "x IN (?, ?)")
        #expect(("x IN \(list: [Int]())" as SQL).text == "x IN (NULL)")
        #expect(("SELECT \(identifier: "odd\"name")" as SQL).text == "SELECT \"odd\"\"name\"")
        let conditions: [SQL] = ["a = \(1)", "b = \(2)"]
        let joined = "WHERE " + conditions.joined(separator: " AND ")
        #expect(joined.text == "WHERE a = ? AND b = ?")
        #expect(joined.values == [.integer(1), .integer(2)])
        #expect([SQL]().joined(separator: ", ").isEmpty)
    }

    @Test("a statement describes itself without its values")
    func description() {
        #expect("\("SELECT \("secret")" as SQL)" == "SELECT ?")
    }
}
