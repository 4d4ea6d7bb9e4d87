import Foundation
import Testing

@testable import Chassis

@Suite("Decoding JSON")
struct JSONDecodingTests {
    private struct Line: Codable, Equatable {
        var id: Int
        var name: String
        var note: String?
        var tags: [String]?
    }

    @Test("members are found in any order, unknown ones are left alone, and escaped names are names")
    func members() throws {
        let line = Line(id: 1, name: "a", note: "n", tags: ["x"])
        for text in [
            #"{"id":1,"name":"a","note":"n","tags":["x"]}"#, #"{"tags":["x"],"note":"n","name":"a","id":1}"#,
            #"{"z":{"id":9,"name":["q"]},"name":"a","tags":["x"],"y":[[]],"note":"n","id":1}"#,
            #"{"\u0069d":1,"n\u0061me":"a","note":"n","tags":["x"]}"#,
        ] {
            #expect(try JSON.decode(Line.self, from: text) == line)
        }
    }

    @Test("an optional member may be null or missing; a required one may not")
    func optionals() throws {
        #expect(try JSON.decode(Line.self, from: #"{"id":1,"name":"a","note":null}"#) == Line(id: 1, name: "a", note: nil, tags: nil))
        #expect(throws: DecodingError.self) { try JSON.decode(Line.self, from: #"{"id":1}"#) }
        #expect(throws: DecodingError.self) { try JSON.decode(Line.self, from: #"{"id":1,"name":null}"#) }
        #expect(throws: DecodingError.self) { try JSON.decode(Line.self, from: "{}") }
    }

    @Test("a value of another kind is refused: strings are no numbers, numbers no booleans")
    func kinds() {
        func refuse<Value: Decodable>(_ type: Value.Type, _ texts: [String]) {
            for text in texts { #expect(throws: DecodingError.self, "\(type) \(text)") { try JSON.decode(type, from: text) } }
        }
        refuse(Int.self, ["\"1\"", "true", "null", "[]", "{}", "1.5"])
        refuse(Double.self, ["\"1\"", "true", "null", "[]", "{}"])
        refuse(Decimal.self, ["\"1\"", "true", "null", "[]", "{}"])
        refuse(Bool.self, ["1", "0", "\"true\"", "null", "[]"])
        refuse(String.self, ["1", "true", "null", "[]", "{}"])
        refuse([Int].self, ["1", "{}", "null", "\"\"", "[\"1\"]", "[null]", "[1,[]]"])
        refuse([String: Int].self, ["[]", "1", "null", "{\"a\":\"1\"}"])
        refuse(UUID.self, ["\"x\"", "1"])
        refuse(JSONFamily.Colour.self, ["\"pink\"", "1"])
        refuse(JSONFamily.Shape.self, ["{}", "{\"pink\":{}}", "{\"point\":{},\"circle\":{}}"])
    }

    @Test("an error knows the path to its value, and says what is wrong")
    func paths() throws {
        func context(_ text: String) -> DecodingError.Context? {
            let error = #expect(throws: DecodingError.self) { try JSON.decode([String: [Line]].self, from: text) }
            return switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context), .dataCorrupted(let context):
                context
            default: nil
            }
        }
        let wrong = context(#"{"a":[],"b\n":[{"name":"x","id":1},{"tags":["x",{"id":0},2],"name":"a","id":1}]}"#)
        #expect(wrong?.codingPath.map(\.stringValue) == ["b\n", "1", "tags", "1"])
        #expect(wrong?.codingPath.last?.intValue == 1)
        #expect(wrong?.debugDescription == "expected String, found an object")
        let missing = context(#"{"a":[{"id":1}]}"#)
        #expect(missing?.codingPath.map(\.stringValue) == ["a", "0"] && missing?.debugDescription == "the member \"name\" is missing")
        #expect(context(#"{"a":[{"id":1e99,"name":"a"}]}"#)?.codingPath.map(\.stringValue) == ["a", "0", "id"])
        #expect(context("[]")?.codingPath.isEmpty == true)
    }

    @Test("dictionaries are read whole, also with many members and number keys")
    func dictionaries() throws {
        let many = Dictionary(uniqueKeysWithValues: (0..<1000).map { ("key \($0)", $0) })
        #expect(try JSON.decode([String: Int].self, from: JSON.encodedBytes(many)) == many)
        #expect(try JSON.decode([Int: String].self, from: #"{"1":"a","-2":"b"}"#) == [1: "a", -2: "b"])
        #expect(try JSON.decode([String: Int?].self, from: #"{"a":null,"b":1}"#) == ["a": nil, "b": 1])
        #expect(try JSON.decode([JSONFamily.Colour: Int].self, from: JSON.encodedBytes([JSONFamily.Colour.red: 1])) == [.red: 1])
    }

    @Test("arrays are read to their end and not beyond, and an element can be tried as one type and read as another")
    func arrays() throws {
        struct Mixed: Decodable {
            var texts: [String] = []
            var numbers: [Int] = []
            init(from decoder: any Decoder) throws {
                var array = try decoder.unkeyedContainer()
                #expect(array.count == 5 && array.currentIndex == 0)
                while !array.isAtEnd {
                    if try array.decodeNil() { continue }
                    if let text = try? array.decode(String.self) { texts.append(text) } else { numbers.append(try array.decode(Int.self)) }
                }
                #expect(array.currentIndex == 5)
                #expect(throws: DecodingError.self) { try array.decode(Int.self) }
                #expect(throws: DecodingError.self) { try array.decodeNil() }
                #expect(throws: DecodingError.self) { try array.nestedUnkeyedContainer() }
            }
        }
        let mixed = try JSON.decode(Mixed.self, from: #"["a",1,null,"b",2]"#)
        #expect(mixed.texts == ["a", "b"] && mixed.numbers == [1, 2])
    }

    @Test("nested containers lead to their values")
    func nestedContainers() throws {
        struct Deep: Decodable {
            enum Key: String, CodingKey { case a, b }
            let value: [Int]
            init(from decoder: any Decoder) throws {
                #expect(decoder.codingPath.isEmpty && decoder.userInfo.isEmpty)
                let object = try decoder.container(keyedBy: Key.self)
                #expect(object.allKeys == [.a] && object.contains(.a) && !object.contains(.b))
                var array = try object.nestedUnkeyedContainer(forKey: .a)
                let inner = try array.nestedContainer(keyedBy: Key.self)
                #expect(inner.codingPath.map(\.stringValue) == ["a", "0"])
                let first = try inner.decode(Int.self, forKey: .b)
                var second = try array.nestedUnkeyedContainer()
                value = [first, try second.decode(Int.self), try Int(from: array.superDecoder())]
                #expect(throws: DecodingError.self) { try object.nestedContainer(keyedBy: Key.self, forKey: .a) }
            }
        }
        #expect(try JSON.decode(Deep.self, from: #"{"a":[{"b":1},[2],3],"x":0}"#).value == [1, 2, 3])
    }

    @Test("what is no JSON is a JSONError, whatever type is asked for")
    func malformed() {
        #expect(throws: JSONError.self) { try JSON.decode(Int.self, from: "01") }
        #expect(throws: JSONError.self) { try JSON.decode([String: Int].self, from: #"{"a":1,"a":2}"#) }
        #expect(throws: JSONError.self) { try JSON.decode(Line.self, from: Data()) }
    }

    @Test("strings are what their escapes say")
    func escapes() throws {
        let cases = [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00E9\u00e9\u2028\u0000""#, "Aéé\u{2028}\u{0}"),
            (#""\uD83D\uDE00\ud83d\ude00""#, "😀😀"), (#""\uDBFF\uDFFF\uD800\uDC00""#, "\u{10FFFF}\u{10000}"),
            (#""a\u0062c\\u0041""#, "abc\\u0041"),
        ]
        for (text, string) in cases { #expect(try JSON.decode(String.self, from: text) == string) }
    }
}
