import Foundation
import Testing

@testable import Chassis

/// A value that encodes itself by the closure that it is given.
private struct Scripted: Encodable {
    let script: (any Encoder) throws -> Void
    init(_ script: @escaping (any Encoder) throws -> Void) { self.script = script }
    func encode(to encoder: any Encoder) throws { try script(encoder) }
}

private enum Key: String, CodingKey { case a, b, c, d }

@Suite("Encoding JSON")
struct JSONEncodingTests {
    private struct Empty: Codable {}

    @Test("members stand in the order in which they are encoded")
    func order() throws {
        struct Value: Codable { var zebra = 1, apple = 2, mango: Int?, fig: Int? = 3 }
        #expect(try JSON.text(Value()) == #"{"zebra":1,"apple":2,"fig":3}"#)
    }

    @Test("members of a dictionary stand in the order of their names, wherever it stands")
    func dictionaries() throws {
        let numbers = Dictionary(uniqueKeysWithValues: (0..<100).map { (String($0), $0) })
        let sorted = "{" + numbers.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        #expect(try JSON.text(numbers) == sorted)
        #expect(try JSON.text(["b": numbers, "a": numbers]) == "{\"a\":\(sorted),\"b\":\(sorted)}")
        #expect(try JSON.text([numbers]) == "[\(sorted)]")
        #expect(try JSON.text(["x": ["b": ["d": 1, "c": 2], "a": [:]]]) == #"{"x":{"a":{},"b":{"c":2,"d":1}}}"#)
        #expect(try JSON.text(["b\"": "}", "a\n": "{,"]) == #"{"a\n":"{,","b\"":"}"}"#)
        #expect(try JSON.text([2: "b", 1: "a"]) == #"{"1":"a","2":"b"}"#)
        #expect(try JSON.text(Optional(["b": 1, "a": 2])) == #"{"a":2,"b":1}"#)
        #expect(
            try JSON.text(JSONValue.object(["b": .null, "a": .array([.object(["d": .bool(true), "c": .integer(1)])])]))
                == #"{"a":[{"c":1,"d":true}],"b":null}"#)
    }

    @Test("only what RFC 8259 asks for is escaped")
    func escapes() throws {
        #expect(
            try JSON.text("\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é\u{2028}😀")
                == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}é\u{2028}😀\"")
        for length in 0..<40 {
            for special in ["\"", "\\", "\n", "\u{1F}", " ", "!", "#", "[", "]", "é", "\u{7F}"] {
                let text = String(repeating: "x", count: length) + special + "yz"
                #expect(try JSON.decode(String.self, from: JSON.encodedBytes(text)) == text)
                #expect(try JSONDecoder().decode(String.self, from: JSON.encodedData(text)) == text)
            }
        }
    }

    @Test("nested containers are closed when an outer one goes on")
    func nestedContainers() throws {
        let value = Scripted { encoder in
            var object = encoder.container(keyedBy: Key.self)
            var inner = object.nestedContainer(keyedBy: Key.self, forKey: .a)
            try inner.encode(1, forKey: .a)
            var array = inner.nestedUnkeyedContainer(forKey: .b)
            try array.encode("x")
            try array.encodeNil()
            var deep = array.nestedContainer(keyedBy: Key.self)
            try deep.encode(true, forKey: .d)
            _ = array.nestedUnkeyedContainer()
            try array.encode(2.5)
            #expect(array.count == 5)
            try inner.encode(3, forKey: .c)
            try object.encodeNil(forKey: .b)
            _ = object.nestedContainer(keyedBy: Key.self, forKey: .c)
        }
        #expect(try JSON.text(value) == #"{"a":{"a":1,"b":["x",null,{"d":true},[],2.5],"c":3},"b":null,"c":{}}"#)
    }

    @Test("encoding into a container that is closed is an error, not a wrong text")
    func closedContainers() {
        let scripts: [(any Encoder) throws -> Void] = [
            { encoder in
                var object = encoder.container(keyedBy: Key.self)
                var inner = object.nestedContainer(keyedBy: Key.self, forKey: .a)
                try object.encode(1, forKey: .b)
                try inner.encode(2, forKey: .c)
            },
            { encoder in
                var array = encoder.unkeyedContainer()
                var first = array.nestedUnkeyedContainer()
                var second = array.nestedUnkeyedContainer()
                try second.encode(1)
                try first.encode(2)
            },
            { encoder in
                var object = encoder.container(keyedBy: Key.self)
                let superclass = object.superEncoder()
                try object.encode(1, forKey: .a)
                try 2.encode(to: superclass)
            },
            { encoder in
                var object = encoder.container(keyedBy: Key.self)
                let superclass = object.superEncoder(forKey: .a)
                try object.encode(1, forKey: .b)
                _ = superclass.container(keyedBy: Key.self)
            },
            { encoder in
                var value = encoder.singleValueContainer()
                try value.encode(1)
                try value.encode(2)
            },
            { encoder in
                _ = encoder.container(keyedBy: Key.self)
                _ = encoder.unkeyedContainer()
            },
            { encoder in
                _ = encoder.unkeyedContainer()
                var value = encoder.singleValueContainer()
                try value.encode(1)
            },
            { encoder in
                var value = encoder.singleValueContainer()
                try value.encodeNil()
                _ = encoder.container(keyedBy: Key.self)
            },
            { encoder in
                var object = encoder.container(keyedBy: Key.self)
                var inner = object.nestedContainer(keyedBy: Key.self, forKey: .a)
                try object.encode(1, forKey: .b)
                var late = inner.nestedContainer(keyedBy: Key.self, forKey: .c)
                try late.encode(2, forKey: .d)
            },
        ]
        for (index, script) in scripts.enumerated() {
            #expect(throws: EncodingError.self, "script \(index)") { try JSON.text(Scripted(script)) }
            #expect(throws: EncodingError.self, "script \(index)") { try JSON.text(["x": [Scripted(script)]]) }
        }
    }

    @Test("a type may open its container twice, as a superclass does with the same encoder")
    func sharedContainer() throws {
        let value = Scripted { encoder in
            var first = encoder.container(keyedBy: Key.self)
            try first.encode(1, forKey: .a)
            var second = encoder.container(keyedBy: Key.self)
            try second.encode(["x"], forKey: .b)
            try first.encode(3, forKey: .c)
        }
        #expect(try JSON.text([value]) == #"[{"a":1,"b":["x"],"c":3}]"#)
    }

    @Test("a superclass is encoded under its own name or another, and read from there")
    func superclasses() throws {
        let dog = Dog(name: "Rex", tricks: ["sit"])
        let text = try JSON.text([dog])
        #expect(text == #"[{"tricks":["sit"],"super":{"name":"Rex"},"a":{"name":"Rex"}}]"#)
        #expect(try JSONDecoder().decode([Dog].self, from: Data(text.utf8)).first?.name == "Rex")
        let read = try #require(try JSON.decode([Dog].self, from: text).first)
        #expect(read.name == "Rex" && read.tricks == ["sit"])
        #expect(throws: DecodingError.self) { try JSON.decode(Dog.self, from: #"{"tricks":[]}"#) }
        let unused = Scripted { encoder in
            var array = encoder.unkeyedContainer()
            try 1.encode(to: array.superEncoder())
            _ = array.superEncoder()
        }
        #expect(try JSON.text(unused) == "[1,{}]")
    }

    @Test("a value that encodes nothing is an error at the top, and an empty object elsewhere, as with Foundation")
    func nothing() throws {
        let nothing = Scripted { _ in }
        #expect(throws: EncodingError.self) { try JSON.text(nothing) }
        #expect(try JSON.text([nothing, nothing]) == "[{},{}]")
        #expect(try JSON.text(["a": nothing]) == #"{"a":{}}"#)
        #expect(try JSON.text(Empty()) == "{}")
        #expect(try JSON.text(Scripted { _ = $0.unkeyedContainer() }) == "[]")
        #expect(try JSON.text([Int?.none, 1]) == "[null,1]")
    }

    @Test("a value that fails leaves no trace, so that its type may go on")
    func takenBack() throws {
        struct Mistake: Error {}
        let failing = Scripted { encoder in
            var object = encoder.container(keyedBy: Key.self)
            var array = object.nestedUnkeyedContainer(forKey: .a)
            try array.encode(["y": 1, "x": 2])
            throw Mistake()
        }
        let value = Scripted { encoder in
            var object = encoder.container(keyedBy: Key.self)
            #expect(throws: Mistake.self) { try object.encode(failing, forKey: .a) }
            try object.encode(1, forKey: .b)
            #expect(throws: EncodingError.self) { try object.encode(Double.nan, forKey: .c) }
            #expect(throws: Mistake.self) { try object.encode(["k": failing], forKey: .c) }
            var array = object.nestedUnkeyedContainer(forKey: .d)
            #expect(throws: Mistake.self) { try array.encode(failing) }
            try array.encode(2)
            #expect(throws: EncodingError.self) { try array.encode(Float.infinity) }
        }
        #expect(try JSON.text(value) == #"{"b":1,"d":[2]}"#)
        #expect(throws: Mistake.self) { try JSON.text(failing) }
    }

    @Test("an error knows the path to its value")
    func paths() {
        struct Value: Encodable { var items = [["x": [1.0, .nan]]] }
        let error = #expect(throws: EncodingError.self) { try JSON.text(["a\"b": Value()]) }
        guard case .invalidValue(_, let context) = error else { return }
        #expect(context.codingPath.map(\.stringValue) == ["a\"b", "items", "0", "x", "1"])
        struct Bare: Encodable { var count = 1, share = Double.nan }
        let bare = #expect(throws: EncodingError.self) { try JSON.text([Bare()]) }
        guard case .invalidValue(_, let context) = bare else { return }
        #expect(context.codingPath.map(\.stringValue) == ["0", "share"])
        let script = Scripted { encoder in
            #expect(encoder.codingPath.map(\.stringValue) == ["k", "0"])
            var object = encoder.container(keyedBy: Key.self)
            #expect(object.codingPath.map(\.stringValue) == ["k", "0"])
            let array = object.nestedUnkeyedContainer(forKey: .b)
            #expect(array.codingPath.map(\.stringValue) == ["k", "0", "b"])
        }
        #expect(throws: Never.self) { try JSON.text(["k": [script]]) }
    }
}

private class Pet: Codable {
    var name: String
    init(name: String) { self.name = name }
}

private final class Dog: Pet {
    var tricks: [String]
    init(name: String, tricks: [String]) {
        self.tricks = tricks
        super.init(name: name)
    }

    private enum Keys: String, CodingKey { case tricks, a }

    required init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Keys.self)
        tricks = try object.decode([String].self, forKey: .tricks)
        _ = try Pet(from: object.superDecoder(forKey: .a))
        try super.init(from: object.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Keys.self)
        try object.encode(tricks, forKey: .tricks)
        try super.encode(to: object.superEncoder())
        try super.encode(to: object.superEncoder(forKey: .a))
    }
}
