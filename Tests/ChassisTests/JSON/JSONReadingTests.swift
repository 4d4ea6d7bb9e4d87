import Chassis
import Foundation
import Testing

@Suite("Reading JSON")
struct JSONReadingTests {
    // MARK: What is no JSON

    @Test(
        "what RFC 8259 does not derive is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "tru", "NaN", "Infinity", "-Infinity", "undefined", "'a'", "a", "+1", "-", "01", "-01", "00",
            "1.", ".1",
            "1.e1", "1e", "1e+", "0x10", "1_000", "1 2", "--1", "1-", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{", "}",
            "{\"a\"}",
            "{\"a\":}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\" 1}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "\"", "\"a",
            "\"\\\"",
            "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\n\"", "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"a\nb\"",
            "\"a\tb\"",
            "\"\u{0}\"", "\u{FEFF}1", "[1] []", "{} x", "/* c */ 1", "1 // c", "\u{A0}1", "\u{2028}1",
        ])
    func malformed(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(throws: JSONError.self) { try JSON.decode(JSONValue.self, from: text) }
    }

    @Test("bytes that are no UTF-8 are refused, in names as in values")
    func notUTF8() {
        let wrong: [[UInt8]] = [[0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xC3]]
        for bytes in wrong {
            let quoted = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
            #expect(throws: JSONError.self) { try JSONValue.parse(quoted) }
            #expect(throws: JSONError.self) { try JSONValue.parse(Array("{".utf8) + quoted + Array(":1}".utf8)) }
        }
    }

    @Test("a name that stands twice in one object is refused, however it is written and however many there are")
    func duplicates() throws {
        #expect(throws: JSONError.self) { try JSONValue.parse(#"{"a":1,"a":1}"#) }
        #expect(throws: JSONError.self) { try JSONValue.parse(#"{"a":1,"\u0061":2}"#) }
        let many = (0..<100).map { "\"member\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSONValue.parse("{\(many)}").hashValue == JSONValue.parse("{\(many)}").hashValue)
        #expect(throws: JSONError.self) { try JSONValue.parse("{\(many),\"member42\":0}") }
        #expect(
            try JSONValue.parse(#"[{"a":1},{"a":{"a":1}}]"#)
                == .array([.object(["a": .integer(1)]), .object(["a": .object(["a": .integer(1)])])]))
    }

    @Test("nesting is bounded: 128 levels are read, one more is refused, and a million cost no stack")
    func nesting() throws {
        func nested(_ depth: Int, _ open: String, _ inner: String, _ close: String) -> String {
            String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
        }
        for (open, inner, close) in [("[", "1", "]"), (#"{"a":"#, "1", "}")] {
            #expect(throws: Never.self) { try JSONValue.parse(nested(128, open, inner, close)) }
            #expect(throws: JSONError.self) { try JSONValue.parse(nested(129, open, inner, close)) }
            #expect(throws: JSONError.self) { try JSONValue.parse(nested(1_000_000, open, inner, close)) }
        }
    }

    @Test("a document that is cut anywhere is refused")
    func truncated() throws {
        let bytes = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"ü":{}}}"#.utf8)
        #expect(throws: Never.self) { try JSONValue.parse(bytes) }
        for length in 0..<bytes.count { #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes[..<length])) } }
    }

    @Test("the error says where, and never repeats the text")
    func errorText() throws {
        let error = try #require(throws: JSONError.self) { try JSONValue.parse(#"{"password":"s3cret",}"#) }
        #expect(error.description == "not valid JSON at byte 21: a member's name is expected")
    }

    @Test("random bytes never crash the parser, and what it accepts Foundation accepts too")
    func noise() {
        var generator = SplitMix64(seed: 7)
        let alphabet = Array(#"{}[]:,"\u0dtfne1-.+E a9"#.utf8)
        for _ in 0..<100_000 {
            let bytes = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            guard (try? JSONValue.parse(bytes)) != nil else { continue }
            #expect(
                (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil,
                "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    // MARK: Values

    @Test(
        "a number is exact",
        arguments: [
            ("0", .integer(0)), ("-0", .integer(0)), ("1", .integer(1)), ("1.0", .integer(1)), ("1e3", .integer(1000)),
            ("10e-1", .integer(1)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .decimal(Decimal(string: "9223372036854775808")!)), ("19.99", .decimal(Decimal(string: "19.99")!)),
            ("0.1", .decimal(Decimal(string: "0.1")!)), ("-1e-3", .decimal(Decimal(string: "-0.001")!)),
            ("99999999999999999999999999999999999999", .decimal(Decimal(string: "99999999999999999999999999999999999999")!)),
        ] as [(String, JSONValue)])
    func numbers(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue.parse(text) == value)
    }

    @Test("a number that no Decimal holds exactly is refused", arguments: ["1e200", "1e-200", "1" + String(repeating: "2", count: 39)])
    func longNumbers(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    @Test("escapes and surrogate pairs are read")
    func escapes() throws {
        #expect(try JSON.decode(String.self, from: #""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é😀""#) == "\"\\/\u{8}\u{C}\n\r\tAé😀é😀")
        #expect(try JSON.decode([String: Int].self, from: #"{"\u00fc":1}"#) == ["ü": 1])
    }

    @Test("types are taken at their word")
    func types() throws {
        #expect(throws: DecodingError.self) { try JSON.decode(Int.self, from: "\"1\"") }
        #expect(throws: DecodingError.self) { try JSON.decode(Int.self, from: "1.5") }
        #expect(throws: DecodingError.self) { try JSON.decode(Int8.self, from: "128") }
        #expect(throws: DecodingError.self) { try JSON.decode(UInt.self, from: "-1") }
        #expect(throws: DecodingError.self) { try JSON.decode(String.self, from: "1") }
        #expect(throws: DecodingError.self) { try JSON.decode(Bool.self, from: "1") }
        #expect(throws: DecodingError.self) { try JSON.decode([Int].self, from: "{}") }
        #expect(throws: DecodingError.self) { try JSON.decode([Int].self, from: "[1,null]") }
        #expect(try JSON.decode([Int?].self, from: "[1,null]") == [1, nil])
        #expect(try JSON.decode(Double.self, from: "1e-7") == 1e-7)
        #expect(try JSON.decode(UInt64.self, from: "18446744073709551615") == .max)
        #expect(try JSON.decode(Decimal.self, from: "0.10") == Decimal(string: "0.1"))
    }

    @Test("an error of decoding names the path to what is wrong")
    func path() throws {
        let error = try #require(throws: DecodingError.self) { try JSON.decode([String: [Sample]].self, from: #"{"x":[{"name":1}]}"#) }
        guard case .typeMismatch(_, let context) = error else { Issue.record("\(error)"); return }
        #expect(context.codingPath.map(\.stringValue) == ["x", "0", "name"])
        let missing = try #require(throws: DecodingError.self) { try JSON.decode(Sample.self, from: "{}") }
        guard case .keyNotFound(let key, _) = missing else { Issue.record("\(missing)"); return }
        #expect(key.stringValue == "name")
    }

    private struct Sample: Codable { let name: String }

    // MARK: Documents

    @Test("a document gives out pieces as they stand")
    func document() throws {
        let document = try JSONDocument(parsing: Array(#" {"data": {"a" : [1, 2.50]} ,"name":"\u0061"} "#.utf8))
        #expect(document.root.member("data")?.rawText() == #"{"a" : [1, 2.50]}"#)
        #expect(document.root.member("name")?.string() == "a")
        #expect(document.root.member("name")?.rawText() == #""\u0061""#)
        #expect(document.root.member("none") == nil && document.root.forEachElement { (_: JSONDocument.Value) in } == false)
    }
}

/// A small generator with a seed, so that what fails can be repeated (Steele, Lea and Flood, 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
