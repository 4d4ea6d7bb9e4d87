import Chassis
import Foundation
import Testing

@Suite("Writing JSON")
struct JSONWritingTests {
    // MARK: The same as Foundation

    private struct Everything: Codable, Equatable {
        enum Kind: String, Codable { case first, second }
        struct Inner: Codable, Equatable {
            var numbers: [Int64]
            var optional: String?
            var nested: [String: [Double]]
        }
        var bool = true
        var int = Int.min
        var uint = UInt64.max
        var double = 0.1
        var whole = 3.0
        var float: Float = -2.5
        var text = "\"\\/\u{8}\u{C}\n\r\t\u{1}é😀\u{2028}"
        var kind = Kind.second
        var missing: Int?
        var inner = Inner(numbers: [1, -2], optional: "x", nested: ["b": [1.5], "a": []])
        var list: [Inner?] = [nil, Inner(numbers: [], optional: nil, nested: [:])]
        var decimal = Decimal(string: "19.99") ?? 0
        var data = Data([1, 2, 255])
        var url = URL(string: "https://example.org/a?b=c")
        var id = UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F")
        var tuple = [1: "one"]
    }

    @Test("every kind of value is written so that Foundation reads the same, and read as Foundation writes it")
    func everything() throws {
        let value = Everything()
        #expect(try JSONDecoder().decode(Everything.self, from: JSON.encodedData(value)) == value)
        #expect(try JSON.decode(Everything.self, from: JSONEncoder().encode(value)) == value)
        #expect(try JSON.decode(Everything.self, from: JSON.text(value)) == value)
    }

    @Test("random documents survive writing and reading, and mean the same to Foundation")
    func fuzz() throws {
        var generator = SplitMix64(seed: 42)
        for _ in 0..<2_000 {
            let value = JSONValue.random(depth: 4, using: &generator)
            let text = try JSON.text(value)
            #expect(try JSONValue.parse(text) == value)
            #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
        }
    }

    // MARK: The text

    @Test("members stand in the order in which a type encodes them, those of a dictionary by name")
    func order() throws {
        struct Pair: Codable { var b = 1, a = 2 }
        #expect(try JSON.text(Pair()) == #"{"b":1,"a":2}"#)
        let dictionary = Dictionary(uniqueKeysWithValues: (0..<50).map { ("k\($0)", [$0]) })
        let expected = dictionary.keys.sorted().map { "\"\($0)\":[\(dictionary[$0]?.first ?? 0)]" }.joined(separator: ",")
        #expect(try JSON.text(dictionary) == "{\(expected)}")
        #expect(try JSON.text(["b": ["d": 1, "c": 2], "a": [:]]) == #"{"a":{},"b":{"c":2,"d":1}}"#)
    }

    @Test("what RFC 8259 asks to be escaped is escaped, and nothing else")
    func escapes() throws {
        #expect(try JSON.text("a/\"\\\n\u{1}\u{7F}é") == #""a/\"\\\n\u0001"# + "\u{7F}é\"")
    }

    @Test(
        "a decimal is written in plain digits",
        arguments: ["0", "19.99", "-0.001", "1000000000", "999999999.99", "0.1", "12345678901234567890.12"])
    func decimals(_ text: String) throws {
        #expect(try JSON.text(Decimal(string: text)) == text)
    }

    @Test("numbers that JSON has no form for are refused")
    func notNumbers() {
        for number in [Double.nan, .infinity, -.infinity] { #expect(throws: EncodingError.self) { try JSON.text(number) } }
        #expect(throws: EncodingError.self) { try JSON.text(Decimal.nan) }
    }

    // MARK: Containers

    /// Calls a closure with its encoder.
    private struct By: Encodable {
        let body: (any Encoder) throws -> Void
        func encode(to encoder: any Encoder) throws { try body(encoder) }
    }

    private enum Key: String, CodingKey { case a, b, c }

    @Test("nested containers are closed when an outer one goes on")
    func nested() throws {
        let value = By { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var list = outer.nestedUnkeyedContainer(forKey: .a)
            try list.encode(1)
            var inner = list.nestedContainer(keyedBy: Key.self)
            try inner.encode(true, forKey: .b)
            try list.encode(2)
            try outer.encode("x", forKey: .c)
        }
        #expect(try JSON.text(value) == #"{"a":[1,{"b":true},2],"c":"x"}"#)
    }

    @Test("a superclass's encoder and empty containers are written")
    func superEncoder() throws {
        let value = By { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try 7.encode(to: outer.superEncoder(forKey: .a))
            _ = outer.nestedContainer(keyedBy: Key.self, forKey: .b)
            _ = outer.nestedUnkeyedContainer(forKey: .c)
        }
        #expect(try JSON.text(value) == #"{"a":7,"b":{},"c":[]}"#)
    }

    @Test("writing into a container that was closed is an error, not a wrong text")
    func closed() {
        let value = By { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var list = outer.nestedUnkeyedContainer(forKey: .a)
            try outer.encode(1, forKey: .b)
            try list.encode(2)
        }
        #expect(throws: EncodingError.self) { try JSON.text(value) }
        #expect(throws: EncodingError.self) { try JSON.text(By { _ in }) }
        #expect(throws: EncodingError.self) {
            try JSON.text(
                By { encoder in
                    var single = encoder.singleValueContainer()
                    try single.encode(1)
                    try single.encode(2)
                })
        }
    }

    @Test("a member that fails is taken back, so that a type may go on without it")
    func takenBack() throws {
        struct Failing: Encodable {
            struct Failure: Error {}
            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                try list.encode("half")
                throw Failure()
            }
        }
        let value = By { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode(1, forKey: .a)
            #expect(throws: Failing.Failure.self) { try outer.encode(Failing(), forKey: .b) }
            try outer.encode(3, forKey: .c)
        }
        #expect(try JSON.text(value) == #"{"a":1,"c":3}"#)
    }
}

extension JSONValue {
    fileprivate static func random(depth: Int, using generator: inout SplitMix64) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0..<64, using: &generator))
        case 3: return .decimal(Decimal(Int.random(in: -99_999...99_999, using: &generator) * 10 + 1) / 1000)
        case 4: return .string(text(using: &generator))
        case 5: return .array((0..<Int.random(in: 0..<4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            let members = (0..<Int.random(in: 0..<4, using: &generator)).map {
                ("\($0)" + text(using: &generator), random(depth: depth - 1, using: &generator))
            }
            return .object(Dictionary(members) { $1 })
        }
    }

    private static func text(using generator: inout SplitMix64) -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "\u{1}", "é", "😀", "/", "\u{7F}", " "]
        return String(
            String.UnicodeScalarView(
                (0..<Int.random(in: 0..<6, using: &generator)).map { _ in scalars.randomElement(using: &generator) ?? "a" }))
    }
}
