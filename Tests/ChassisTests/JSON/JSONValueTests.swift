import ChassisTesting
import Foundation
import Testing

@testable import Chassis

@Suite("Any JSON document")
struct JSONValueTests {
    @Test(
        "a number that is whole and within 64 bits is an integer, however it is written; any other is a decimal",
        arguments: [
            ("1", .integer(1)), ("1.0", .integer(1)), ("1e3", .integer(1000)), ("100e-2", .integer(1)), ("-0", .integer(0)),
            ("-0.0", .integer(0)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .decimal(Decimal(string: "9223372036854775808")!)), ("1.5", .decimal(1.5)),
            ("19.99", .decimal(Decimal(string: "19.99")!)), ("1e-3", .decimal(Decimal(string: "0.001")!)),
            ("1e20", .decimal(Decimal(string: "1e20")!)),
        ] as [(String, JSONValue)])
    func numbers(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(text) == value)
        #expect(try JSON.decode([JSONValue].self, from: "[\(text)]") == [value])
        #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
    }

    @Test("a document is read as it stands, and by its Codable conformance as well")
    func documents() throws {
        let text = #"{"a":[1,"x",null,true,{"b":1.5}],"é":{},"c":[]}"#
        let value = JSONValue.object([
            "a": .array([.integer(1), .string("x"), .null, .bool(true), .object(["b": .decimal(1.5)])]), "é": .object([:]), "c": .array([]),
        ])
        #expect(
            try JSONValue.parse(text) == value && JSONValue.parse(Data(text.utf8)) == value && JSONValue.parse(Array(text.utf8)) == value)
        #expect(try JSON.decode([String: JSONValue].self, from: "{\"k\":\(text)}") == ["k": value])
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
        #expect(try JSON.decode(JSONValue?.self, from: "null") == nil)
    }

    @Test("inside another type, a number that is too long is a decoding error with its path")
    func tooLong() {
        let error = #expect(throws: DecodingError.self) { try JSON.decode([String: JSONValue].self, from: #"{"k":[1e999]}"#) }
        guard case .dataCorrupted(let context) = error else { return }
        #expect(context.codingPath.map(\.stringValue) == ["k"])
    }

    @Test("random documents survive the way out and back", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value = Self.value(&random, depth: 5)
        #expect(try JSONValue.parse(JSON.text(value)) == value)
        #expect(try JSON.decode(JSONValue.self, from: JSON.encodedData(value)) == value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSON.encodedData(value)) == value)
    }

    private static func value(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: .null
        case 1: .bool(.random(using: &random))
        case 2: .integer(JSONFamily.number(&random))
        case 3:
            .decimal(
                Decimal(
                    sign: .plus, exponent: -Int.random(in: 1...20, using: &random),
                    significand: Decimal(Int.random(in: 0...99_999, using: &random) * 10 + 1)))
        case 4: .string(JSONFamily.text(&random))
        case 5: .array(JSONFamily.list(&random) { value(&$0, depth: depth - 1) })
        default:
            .object(Dictionary(JSONFamily.list(&random) { (JSONFamily.text(&$0), value(&$0, depth: depth - 1)) }) { first, _ in first })
        }
    }
}

@Suite("Looking into a JSON text")
struct JSONDocumentTests {
    private let text = #" [ {"id": "a\n", "data" : { "x" : [1, 2.50 ] }, "n":7.0} , null,"é" ] "#

    @Test("values are cut out byte for byte")
    func rawText() throws {
        let document = try JSONDocument(parsing: Array(text.utf8))
        var pieces: [String] = []
        #expect(document.root.forEachElement { pieces.append($0.rawText()) })
        #expect(pieces == [#"{"id": "a\n", "data" : { "x" : [1, 2.50 ] }, "n":7.0}"#, "null", "\"é\""])
        var members: [String] = []
        document.root.forEachElement { element in
            element.forEachMember { name, value in members.append("\(name)=\(value.rawText())") }
        }
        #expect(members == [#"id="a\n""#, #"data={ "x" : [1, 2.50 ] }"#, "n=7.0"])
    }

    @Test("values say what they are")
    func kinds() throws {
        let root = try JSONDocument(parsing: Array(#"{"s":"a\"","i":7.0,"f":1.5,"z":null,"a":[],"o":{}}"#.utf8)).root
        #expect(root.isObject && !root.isArray && !root.isNull)
        #expect(root.member("s")?.string() == "a\"" && root.member("i")?.string() == nil)
        #expect(root.member("i")?.integer() == 7 && root.member("f")?.integer() == nil && root.member("s")?.integer() == nil)
        #expect(root.member("z")?.isNull == true && root.member("a")?.isArray == true && root.member("q") == nil)
        #expect(root.member("o")?.member("x") == nil && root.member("a")?.member("x") == nil)
        #expect(!root.forEachElement { _ in Issue.record("an object has no elements") })
        #expect(root.member("a")?.forEachMember { _, _ in Issue.record("an array has no members") } == false)
    }

    @Test("what a walk's body throws ends the walk")
    func throwing() throws {
        struct Stop: Error {}
        let root = try JSONDocument(parsing: Array("[1,2,3]".utf8)).root
        var seen = 0
        #expect(throws: Stop.self) {
            try root.forEachElement { (_) throws(Stop) in
                seen += 1
                throw Stop()
            }
        }
        #expect(seen == 1)
    }
}

@Suite("JSON in the making")
struct JSONWriterTests {
    @Test("raw pieces stay as they are, strings are quoted and escaped")
    func pieces() {
        var text = JSONWriter(capacity: 10)
        text.append(raw: "[")
        text.append(string: "a\"\u{1}")
        text.append(raw: ",")
        text.append(Int8.min)
        text.append(raw: ",")
        text.append(UInt64.max)
        text.append(raw: ",{")
        text.append(name: "k\n")
        text.append(false)
        text.append(raw: "},")
        text.appendNull()
        text.append(raw: "]")
        #expect(String(decoding: text.bytes, as: UTF8.self) == #"["a\"\u0001",-128,18446744073709551615,{"k\n":false},null]"#)
    }
}
