import ChassisTesting
import Foundation
import Testing

@testable import Chassis

@Suite("Numbers in JSON")
struct JSONNumberTests {
    @Test(
        "a Decimal is exact, digit for digit, both ways",
        arguments: [
            "0", "19.99", "-19.99", "0.1", "0.3", "0.07", "999999999.99", "0.001", "12345678901234567890123456789012345678",
            "-1234567890123456789.0123456789012345678", "0.00000000000000000000000000000000000001", "100", "9007199254740993",
            "18446744073709551616", "99999999999999999999999999999999999999",
        ])
    func decimals(text: String) throws {
        let expected = try #require(Decimal(string: text))
        #expect(try JSON.decode(Decimal.self, from: text) == expected)
        #expect(try JSON.text(expected) == text)
        #expect(try JSON.text([expected]) == "[\(text)]")
    }

    @Test(
        "however a number is written, its Decimal is the same",
        arguments: [
            ("1e-3", "0.001"), ("1E3", "1000"), ("1999e-2", "19.99"), ("0.1999e2", "19.99"), ("19.9900", "19.99"), ("1e127", "1e127"),
            ("1e-127", "1e-127"), ("-0", "0"), ("-0.0", "0"), ("0e999999999999999999999", "0"),
            ("1000000000000000000000000000000000000000000", "1e42"),
            ("0.000000000000000000000000000000000000000000000000001", "1e-51"),
        ])
    func writings(text: String, same: String) throws {
        #expect(try JSON.decode(Decimal.self, from: text) == Decimal(string: same))
    }

    @Test(
        "a number that no Decimal holds exactly is refused",
        arguments: [
            "123456789012345678901234567890123456789", "1e128", "1e-128", "1e400", "0.100000000000000000000000000000000000001",
            "1e99999999999999999999999", "1e-99999999999999999999999", "-1e200",
        ])
    func tooLong(text: String) {
        #expect(throws: DecodingError.self) { try JSON.decode(Decimal.self, from: text) }
        let error = #expect(throws: JSONError.self) { try JSONValue.parse("[\(text)]") }
        #expect(error?.description == "not valid JSON at byte 1: a number is too long")
    }

    @Test("each width of integer takes its least and its greatest number, and refuses the next ones")
    func widths() throws {
        func check<Integer: FixedWidthInteger & Codable>(_ type: Integer.Type) throws {
            #expect(try JSON.decode([Integer].self, from: JSON.text([Integer.min, .max, 0])) == [.min, .max, 0])
            #expect(try JSON.text(["a": Integer.max]) == "{\"a\":\(Integer.max)}")
            for text in ["\(Int128(Integer.max) + 1)", "\(Int128(Integer.min) - 1)", "1e30", "1.5", "1e-1", "\"1\"", "true", "null", "[]"] {
                #expect(throws: DecodingError.self, "\(type) \(text)") { try JSON.decode(Integer.self, from: text) }
            }
            for text in ["1.0", "10e-1", "0.1e1", "1.000", "1E0"] { #expect(try JSON.decode(Integer.self, from: text) == 1) }
        }
        try check(Int8.self)
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(Int.self)
        try check(UInt8.self)
        try check(UInt16.self)
        try check(UInt32.self)
        try check(UInt64.self)
        try check(UInt.self)
    }

    @Test("a whole number keeps every digit, beyond those of a Double too")
    func wholeNumbers() throws {
        #expect(try JSON.decode(Int64.self, from: "9223372036854775807.0") == .max)
        #expect(try JSON.decode(Int64.self, from: "9007199254740993.00") == 9_007_199_254_740_993)
        #expect(try JSON.decode(Int64.self, from: "-922337203685477580.8e1") == .min)
        #expect(try JSON.decode(UInt64.self, from: "18446744073709551615") == .max)
    }

    @Test("a Double is the nearest to its text, and its text is read back as itself")
    func doubles() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let number = JSONFamily.double(&random)
            #expect(try JSON.decode(Double.self, from: JSON.encodedBytes(number)).bitPattern == number.bitPattern)
            let (whole, fraction) = (Int.random(in: 0...999_999, using: &random), Int.random(in: 0...99_999_999, using: &random))
            let text = "\(whole).\(fraction)e\(Int.random(in: -30...30, using: &random))"
            #expect(try JSON.decode(Double.self, from: text) == Double(text))
            #expect(try JSON.decode(Float.self, from: text) == Float(text))
        }
    }

    @Test(
        "a Double is written as short as it can be, a whole one without a fraction",
        arguments: [
            (1, "1"), (-0.0, "-0"), (0.1, "0.1"), (1e15, "1000000000000000"), (1e22, "1e+22"), (.leastNonzeroMagnitude, "5e-324"),
            (-2.5, "-2.5"),
        ] as [(Double, String)])
    func doubleText(number: Double, text: String) throws {
        #expect(try JSON.text(number) == text && JSON.text([number]) == "[\(text)]" && JSON.text(["a": number]) == "{\"a\":\(text)}")
    }

    @Test("a Float is written as a Float")
    func floats() throws {
        #expect(try JSON.text([Float(0.1)]) == "[0.1]")
        #expect(try JSON.decode(Float.self, from: "3.4028235e38") == .greatestFiniteMagnitude)
    }

    @Test("numbers beyond every Double or Float are refused", arguments: ["1e400", "-1e400", "1e309"])
    func beyond(text: String) {
        #expect(throws: DecodingError.self) { try JSON.decode(Double.self, from: text) }
        #expect(throws: DecodingError.self) { try JSON.decode(Float.self, from: text) }
    }

    @Test("infinities and NaN are not written")
    func notFinite() {
        for number in [Double.nan, .infinity, -.infinity] {
            #expect(throws: EncodingError.self) { try JSON.text(number) }
            #expect(throws: EncodingError.self) { try JSON.text([Float(number)]) }
            #expect(throws: EncodingError.self) { try JSON.text(["a": number]) }
        }
        #expect(throws: EncodingError.self) { try JSON.text([Decimal.nan]) }
        #expect(throws: EncodingError.self) { try JSON.text(JSONValue.array([.decimal(.nan)])) }
    }
}
