import ChassisTesting
import Foundation
import Testing

@testable import Chassis

@Suite("Parsing JSON")
struct JSONParserTests {
    static let malformed = [
        "", " ", "\n", "nul", "nulls", "tru", "True", "NULL", "falsee", "t", "'a'", "a", "NaN", "Infinity", "-Infinity", "undefined",
        "[", "]", "{", "}", "[}", "{]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1;2]", "[1,,2]", "[[1]", "[1]]", "[1],",
        "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,\"a\":1}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}", "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":}", "{null:1}", "{\"a\":1}}", "{\"a\",\"b\"}", "[\"a\":1]", "{'a':1}",
        "01", "-01", "00", "+1", "-", "--1", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1E-", "1e1.5", "0x10", "1_000", "1,000", "1 2", "- 1",
        "0.",
        "\"", "\"a", "a\"", "\"a\"b", "\"\\\"", "\"\\x\"", "\"\\a\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u\"", "\"\\U0041\"", "\"\\'\"",
        "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1F}\"", "\"a\\", "\"\\u+123\"",
        "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"", "\"\\uD800x\"", "\"\\uD800\\n\"", "\"\\uDC00\\uD800\"",
        "\"\\uD83D\\uDE0\"", "\"\\uD83D\\\"",
        "// a\n1", "1 // a", "/* a */ 1", "# a\n1", "1\u{0}", "\u{0}1", "\u{FEFF}1", "\u{A0}1", "1\u{B}", "[1\u{C}]", "[1,\u{2028}2]",
        "1 1", "{} {}", "null null", "[] ,",
    ]

    @Test("a text that RFC 8259 does not derive is refused", arguments: malformed)
    func refused(text: String) {
        #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(text.utf8)) }
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(throws: JSONError.self) { try JSON.decode(JSONValue.self, from: text) }
    }

    @Test(
        "what is not UTF-8 is refused",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
            [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xF0, 0x9F, 0x98, 0x22],
        ] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        for text in [[0x22] + bytes + [0x22], [0x22] + bytes, bytes, [0x7B, 0x22] + bytes + Array("\":1}".utf8)] {
            #expect(throws: JSONError.self) { try JSONDocument(parsing: text) }
        }
        #expect(String(validating: bytes, as: UTF8.self) == nil)
    }

    @Test(
        "a text that RFC 8259 derives is read, as Foundation reads it",
        arguments: [
            "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "-1.5e3", "1E+2", "1e-2", "0e0", "0.0", "\"\"", "\"a\"", "[]", "{}",
            "[ ]",
            "{ }", " 1 ", "\t\r\n[\t1\r,\n2 ]\n", "{\"a\":{\"b\":[{\"c\":null}]}}", "{\"\":1}", "{\"a\":1,\"A\":2}", "[[],[[]],{}]",
            "\"\\u0041\\u00e9\\uD83D\\uDE00\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\u{7F}\u{80}é漢😀\u{10FFFF}\"", "\"\\u0000\"",
            "[1,2.5,\"3\",true,null,{}]",
            "{\"a b\\n\":\"c\"}", "\"/\"", "123456789012345678", "-9223372036854775808", "\"\u{FEFF}\"",
        ])
    func accepted(text: String) throws {
        let value = try JSONValue.parse(text)
        #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
        #expect(try JSON.decode(JSONValue.self, from: text) == value)
    }

    @Test("a valid text that is cut at any byte is refused")
    func truncated() throws {
        let text = #" {"a":[1,-2.5e3,"x\n\uD83D\uDE00é漢😀",{"b":null,"c":true,"d":false}],"e":{}} "#
        let bytes = Array(text.utf8)
        _ = try JSONDocument(parsing: bytes)
        for length in 0..<(bytes.count - 1) {
            #expect(throws: JSONError.self, "cut at \(length)") { try JSONDocument(parsing: Array(bytes[..<length])) }
        }
    }

    @Test("nesting is bounded at 128, and a million brackets end at the bound", arguments: [("[", "]"), ("{\"a\":", "}")])
    func nesting(open: String, close: String) throws {
        func text(_ depth: Int) -> String { repeatElement(open, count: depth).joined() + "1" + repeatElement(close, count: depth).joined() }
        _ = try JSONValue.parse(text(JSONParser.deepestNesting))
        #expect(throws: JSONError.self) { try JSONValue.parse(text(JSONParser.deepestNesting + 1)) }
        #expect(throws: JSONError.self) { try JSONValue.parse(text(1_000_000)) }
        #expect(try JSONValue.parse("[" + repeatElement(text(127), count: 3).joined(separator: ",") + "]") != .null)
    }

    @Test("an error tells the byte and the reason, and repeats nothing of the text")
    func errors() {
        let cases = [
            ("[1, x]", "not valid JSON at byte 4: a value is expected"), ("{\"a\" 1}", "not valid JSON at byte 5: a colon is expected"),
            ("[1 1]", "not valid JSON at byte 3: a comma or the end of the array is expected"),
            ("{\"ab\":1, \"ab\":2}", "not valid JSON at byte 9: a name stands twice in one object"),
            ("1 1", "not valid JSON at byte 2: something follows the end"), ("\"abc", "not valid JSON at byte 4: a string does not end"),
        ]
        for (text, description) in cases {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
            #expect(error?.description == description)
        }
    }

    @Test("a name that stands twice in one object is refused, however it is written")
    func duplicates() throws {
        let many = (0..<100).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        for text in [
            #"{"a":1,"a":1}"#, #"{"a":1,"b":{"c":[1]},"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"é":1,"e\#u{301}":2}"#, #"{"":1,"":2}"#,
            #"[{"x":{"a":1,"b":2,"a":3}}]"#, "{\(many),\"k99\":1}", "{\(many),\"\\u006b0\":1}", "{\"k50\":{},\(many)}",
        ] {
            #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(text.utf8)) }
        }
        for text in [#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, "{\(many)}", "{\"a\":{\(many)},\"k1\":{\(many)}}", #"{"é":1,"e":2}"#] {
            _ = try JSONDocument(parsing: Array(text.utf8))
        }
    }

    @Test("100 000 random texts do not crash, and what is taken for JSON is JSON for Foundation too")
    func random() throws {
        var random = SeededGenerator(seed: 42)
        let alphabet = Array("{}[]:,\"\\u0D8e.-+1atrufalsn \n\u{1}é".utf8) + [0x80, 0xED, 0xFF]
        var accepted = 0
        for round in 0..<100_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                round % 4 == 0 ? UInt8.random(in: 0...255, using: &random) : alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            guard let value = try? JSONValue.parse(bytes) else { continue }
            accepted += 1
            #expect(throws: Never.self, "\(bytes)") { try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) }
            #expect(try JSONValue.parse(JSON.text(value)) == value)
        }
        #expect(accepted > 100)
    }

    @Test("a valid text with one byte changed is refused or is JSON for Foundation too")
    func mutated() throws {
        var random = SeededGenerator(seed: 7)
        let text = Array(#"{"a":[1,-2.5e3,"x\né\uD83D\uDE00"],"b":{"c":null,"d":true},"e":"0123456789abcdef"}"#.utf8)
        for index in text.indices {
            for _ in 0..<40 {
                var bytes = text
                bytes[index] = UInt8.random(in: 0...255, using: &random)
                guard (try? JSONDocument(parsing: bytes)) != nil else { continue }
                #expect(throws: Never.self, "\(bytes)") { try JSONSerialization.jsonObject(with: Data(bytes)) }
            }
        }
    }
}
