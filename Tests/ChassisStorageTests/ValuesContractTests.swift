import ChassisStorage
import Commerce
import Foundation
import Testing

@Suite("Values in and out of every database")
struct ValuesContractTests {
    static let table = Migration(
        "001_values", "CREATE TABLE samples (id $id, i $integer, r $real, t TEXT, b $blob) $strict")

    enum Fruit: String, SQLValueConvertible { case apple, pear }

    private func roundTrip<T: SQLValueConvertible & Equatable>(_ value: T, column: SQL, in database: Database) async throws {
        let stored: T? = try await database.write { tx in
            let id = try tx.value("INSERT INTO samples (\(column)) VALUES (\(value)) RETURNING id", as: Int64.self)
            return try tx.value("SELECT \(column) FROM samples WHERE id = \(id)", as: T.self)
        }
        #expect(stored == .some(value))
    }

    @Test("every type comes back as it was bound", arguments: DatabaseFixture.allCases)
    func roundTrips(fixture: DatabaseFixture) async throws {
        try await fixture.run([Self.table]) { database in
            for value in [0, 1, -1, Int64.max, Int64.min] { try await roundTrip(value, column: "i", in: database) }
            for value in [true, false] { try await roundTrip(value, column: "i", in: database) }
            for value in [0.0, -1.5, Double.greatestFiniteMagnitude, .leastNonzeroMagnitude] {
                try await roundTrip(value, column: "r", in: database)
            }
            for value in ["", "Żółw 🐢 'quoted' \"twice\" -- ; ?", String(repeating: "long ", count: 20_000)] {
                try await roundTrip(value, column: "t", in: database)
            }
            for value in [[], [0], [UInt8](0...255)] { try await roundTrip(value, column: "b", in: database) }
            try await roundTrip(Data([1, 2, 3]), column: "b", in: database)
            try await roundTrip(Fruit.pear, column: "t", in: database)
            try await roundTrip(try #require(UserID(rawValue: 42)), column: "i", in: database)
            try await roundTrip(Timestamp(millisecondsSinceEpoch: 1_700_000_000_123), column: "i", in: database)
            try await roundTrip(Int64?.none, column: "i", in: database)
            try await roundTrip(Fruit?.some(.apple), column: "t", in: database)
        }
    }

    @Test(
        "text that looks like SQL is only text", arguments: DatabaseFixture.allCases,
        ["'); DROP TABLE samples; --", "\" OR 1=1 --", "?1", "$1", "\\", "%_"])
    func injection(fixture: DatabaseFixture, text: String) async throws {
        try await fixture.run([Self.table]) { database in
            try await roundTrip(text, column: "t", in: database)
            let found = try await database.read { tx in
                try tx.value("SELECT count(*) FROM samples WHERE t = \(text)", as: Int.self)
            }
            #expect(found == 1)
        }
    }

    @Test("a list binds each of its values, and an empty one matches nothing", arguments: DatabaseFixture.allCases)
    func lists(fixture: DatabaseFixture) async throws {
        try await fixture.run([Self.table]) { database in
            let found = try await database.write { tx in
                for value in 1...5 { try tx.execute("INSERT INTO samples (i) VALUES (\(value))") }
                let some = try tx.all("SELECT i FROM samples WHERE i IN \(list: [2, 4, 9]) ORDER BY i") { try $0["i"] as Int }
                let none = try tx.all("SELECT i FROM samples WHERE i IN \(list: [Int]())") { try $0["i"] as Int }
                return [some, none]
            }
            #expect(found == [[2, 4], []])
        }
    }

    @Test("a missing column, a NULL and a wrong type are conversion errors that name the column", arguments: DatabaseFixture.allCases)
    func conversions(fixture: DatabaseFixture) async throws {
        try await fixture.run([Self.table]) { database in
            try await database.write { tx in
                try tx.execute("INSERT INTO samples (i, t) VALUES (7, \("secret"))")
                func message<T: SQLValueConvertible>(_ column: String, _: T.Type) throws -> String? {
                    try tx.first("SELECT i, r, t FROM samples") { row in
                        let error = #expect(throws: StorageError.self) { try row[column] as T }
                        #expect(error?.isConversionError == true)
                        return error?.message ?? ""
                    }
                }
                #expect(try message("absent", Int.self)?.contains("absent") == true)
                #expect(try message("r", Double.self)?.contains("NULL") == true)
                #expect(try message("t", Int.self)?.contains("column t") == true)
                #expect(try message("t", Int.self)?.contains("secret") == false)
                #expect(try message("i", String.self)?.contains("integer") == true)
                #expect(try message("t", Fruit.self)?.contains("Fruit") == true)
                // None of these poisons the transaction: no statement failed.
                try tx.execute("INSERT INTO samples (i) VALUES (8)")
            }
        }
    }

    @Test("text with a NUL character is refused, because not every database can store it", arguments: DatabaseFixture.allCases)
    func nul(fixture: DatabaseFixture) async throws {
        try await fixture.run([Self.table]) { database in
            let error = await #expect(throws: StorageError.self) {
                try await database.write { tx in try tx.execute("INSERT INTO samples (t) VALUES (\("a\u{0}b"))") }
            }
            #expect(error?.isConversionError == true)
        }
    }

    @Test("a value of the wrong type for its column is refused by the schema", arguments: DatabaseFixture.allCases)
    func strictTables(fixture: DatabaseFixture) async throws {
        try await fixture.run([Self.table]) { database in
            await #expect(throws: StorageError.self) {
                try await database.write { tx in try tx.execute("INSERT INTO samples (i) VALUES (\("no number"))") }
            }
        }
    }
}
