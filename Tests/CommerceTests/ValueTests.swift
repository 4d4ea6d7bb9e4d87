import Commerce
import Foundation
import Testing

@Suite("Identifier")
struct IdentifierTests {
    @Test(
        "decimal digits of a positive 64-bit number are an id",
        arguments: [("1", 1), ("42", 42), ("007", 7), ("9223372036854775807", Int64.max)])
    func accepted(text: String, value: Int64) {
        #expect(OrderID(text)?.rawValue == value)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "0", "000", "-1", "+1", "1e3", "abc", "1.0", "0x10", " 1", "1 ", "1\n", "9223372036854775808", "99999999999999999999", "١٢",
            "１", "1_000",
        ])
    func refused(text: String) {
        #expect(OrderID(text) == nil)
    }

    @Test("zero and negative numbers are no ids", arguments: [0, -1, Int64.min])
    func notPositive(value: Int64) {
        #expect(UserID(rawValue: value) == nil)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(UserID.self, from: Data("\(value)".utf8)) }
    }

    @Test("in JSON an id is a plain number, to the last digit of 64 bits")
    func json() throws {
        let id = try #require(ProductID(rawValue: .max))
        let data = try JSONEncoder().encode([id])
        #expect(String(decoding: data, as: UTF8.self) == "[9223372036854775807]")
        #expect(try JSONDecoder().decode([ProductID].self, from: data) == [id])
        for text in ["[\"1\"]", "[1.5]", "[9223372036854775808]", "[true]"] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode([ProductID].self, from: Data(text.utf8)) }
        }
    }

    @Test("ids sort by number and are written as one")
    func order() throws {
        let (two, ten) = (try #require(OrderID("2")), try #require(OrderID("10")))
        #expect(two < ten && "\(ten)" == "10")
    }
}

@Suite("Quantity")
struct QuantityTests {
    @Test(
        "from one piece to a million",
        arguments: [(0, false), (1, true), (1_000_000, true), (1_000_001, false), (-1, false), (Int64.max, false)])
    func range(value: Int64, isOne: Bool) {
        #expect((Quantity(rawValue: value) != nil) == isOne)
        #expect(((try? JSONDecoder().decode(Quantity.self, from: Data("\(value)".utf8))) != nil) == isOne)
    }

    @Test("a fraction is no quantity")
    func fraction() {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Quantity.self, from: Data("1.5".utf8)) }
    }

    @Test("a sum beyond the largest is none")
    func sum() throws {
        let (one, most) = (try #require(Quantity(rawValue: 1)), try #require(Quantity(rawValue: Quantity.largest)))
        #expect(one.adding(one)?.rawValue == 2)
        #expect(most.adding(one) == nil)
    }
}

@Suite("EmailAddress")
struct EmailAddressTests {
    @Test(
        "what has the shape of an address is one",
        arguments: [
            "ada@example.org", "a@b.c", "ada+shop@sub.example.org", "o'neil@example.ie", "jörg@münchen.example", "a.b-c_d@ex-ample.org",
            "1@2.3", "\(String(repeating: "a", count: 64))@example.org",
        ])
    func accepted(text: String) {
        #expect(EmailAddress(text)?.text == text)
    }

    @Test(
        "what has not is none",
        arguments: [
            "", "@", "ada", "ada@", "@example.org", "ada@example", "ada@@example.org", "a@b@c.d", "ada@.org", "ada@example.", "ada@a..b",
            "ada@-example.org", "ada@example-.org", "a b@example.org", "ada@exam ple.org", "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org>", "<ada@example.org>", "ada@example.org,eve@example.org", "ada\u{0}@example.org", "ada@example.org\u{7F}x",
            "Ada <ada@example.org>", "\"ada\"@example.org", "ada@[127.0.0.1]", "ada\u{A0}x@example.org",
            "\(String(repeating: "a", count: 65))@example.org", "a@\(String(repeating: "b", count: 250)).org",
        ])
    func refused(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test("case and surrounding spaces make no other address; what was written is kept")
    func comparison() throws {
        let written = try #require(EmailAddress("  Ada@Example.ORG\n"))
        let plain = try #require(EmailAddress("ada@example.org"))
        #expect(written == plain && Set([written, plain]).count == 1)
        #expect(written.text == "Ada@Example.ORG" && written.comparisonKey == "ada@example.org")
    }
}

@Suite("Page")
struct PageTests {
    @Test(
        "one row more than the limit only tells that there is a next page",
        arguments: [(0, nil), (2, nil), (3, nil), (4, "3")] as [(Int, String?)])
    func rows(count: Int, next: String?) {
        let page = Page(rows: Array(1..<(count + 1)), limit: 3) { "\($0)" }
        #expect(page.elements == Array(1..<(min(count, 3) + 1)))
        #expect(page.nextCursor == next)
    }

    @Test("a page of other things keeps its cursor")
    func map() {
        let page = Page(elements: [1, 2], nextCursor: "2").map { "\($0)" }
        #expect(page.elements == ["1", "2"] && page.nextCursor == "2")
    }

    @Test("who asks for nothing in particular gets fifty from the start")
    func request() {
        #expect(PageRequest().limit == 50 && PageRequest().cursor == nil && PageRequest.limits == 1...200)
    }
}
