import ChassisTesting
import Foundation
import Testing

@testable import Chassis

/// Foundation's coder is the oracle: what it reads of our text, and what we read of its text, is the value.
@Suite("JSON and back")
struct JSONRoundTripTests {
    @Test("what is written is read back as the same value, by us and by Foundation", arguments: 0..<200 as Range<UInt64>)
    func ownText(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let tree = try JSONFamily.tree(&random)
        let bytes = try JSON.encodedBytes(tree)
        #expect(try JSON.decode(JSONFamily.Tree.self, from: bytes) == tree)
        #expect(try JSONDecoder().decode(JSONFamily.Tree.self, from: Data(bytes)) == tree)
    }

    @Test("what Foundation writes is read as it was meant", arguments: 0..<200 as Range<UInt64>)
    func foundationText(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1000)
        let tree = try JSONFamily.tree(&random)
        for format in [[], .prettyPrinted, .sortedKeys] as [JSONEncoder.OutputFormatting] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = format
            #expect(try JSON.decode(JSONFamily.Tree.self, from: try encoder.encode(tree)) == tree)
        }
    }

    @Test("our text and Foundation's say the same to a third reader", arguments: 0..<100 as Range<UInt64>)
    func sameMeaning(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 2000)
        let tree = try JSONFamily.tree(&random)
        let ours = try JSONSerialization.jsonObject(with: try JSON.encodedData(tree)) as? NSDictionary
        let theirs = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(tree)) as? NSDictionary
        #expect(ours != nil && ours == theirs)
    }

    @Test("the same value is always the same text", arguments: 0..<50 as Range<UInt64>)
    func stable(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 3000)
        let tree = try JSONFamily.tree(&random)
        // Another capacity is another order of the hash table.
        var same = tree
        same.byName = Dictionary(minimumCapacity: 1000)
        for (name, leaf) in tree.byName { same.byName[name] = leaf }
        #expect(try JSON.text(tree) == JSON.text(same))
    }

    @Test("a value at the top is a text, whatever its kind")
    func fragments() throws {
        #expect(try JSON.text("a") == "\"a\"")
        #expect(try JSON.text(1) == "1")
        #expect(try JSON.text(true) == "true")
        #expect(try JSON.text(Int?.none) == "null")
        #expect(try JSON.text([Int]()) == "[]")
        #expect(try JSON.text([String: Int]()) == "{}")
        #expect(try JSON.decode(String.self, from: "\"a\"") == "a")
        #expect(try JSON.decode(Int.self, from: Data(" 1\n".utf8)) == 1)
        #expect(try JSON.decode(Int?.self, from: "null") == nil)
        #expect(try JSON.decode([Bool?].self, from: "[true,null,false]") == [true, nil, false])
    }

    @Test("URL is its text, Data is base64, a UUID is its text, a Date as its own Codable has it")
    func specialTypes() throws {
        let url = try #require(URL(string: "https://example.com/a?b=c/d"))
        let id = try #require(UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F"))
        #expect(try JSON.text(["u": url]) == #"{"u":"https://example.com/a?b=c/d"}"#)
        #expect(try JSON.text([Data([1, 2, 0xFF])]) == #"["AQL/"]"#)
        #expect(try JSON.text([id]) == #"["E621E1F8-C36C-495A-93FC-0C247A3E6E5F"]"#)
        #expect(try JSON.decode([URL].self, from: JSON.encodedBytes([url])) == [url])
        #expect(try JSON.decode([Data?].self, from: #"["AQL/",null]"#) == [Data([1, 2, 0xFF]), nil])
        #expect(try JSON.decode([UUID].self, from: JSON.encodedBytes([id])) == [id])
        let date = Date(timeIntervalSinceReferenceDate: 0.5)
        #expect(try JSON.text([date]) == "[0.5]" && JSON.decode([Date].self, from: "[0.5]") == [date])
        for text in [#"["AQ"]"#, #"["A Q="]"#, "[1]", "[null]"] {
            #expect(throws: DecodingError.self) { try JSON.decode([Data].self, from: text) }
        }
        #expect(throws: DecodingError.self) { try JSON.decode([URL].self, from: #"["http://a b"]"#) }
    }
}
