import Commerce
import Foundation
import Testing

@Suite("Timestamp")
struct TimestampTests {
    /// 2026-11-23T21:34:22Z.
    private static let second: Int64 = 1_795_469_662_000

    @Test(
        "each millisecond of a second is written and read back as itself", arguments: [0, second, 4_102_444_799_000, 253_402_300_799_000])
    func milliseconds(second: Int64) throws {
        for millisecond in Int64(0)..<1000 {
            let moment = Timestamp(millisecondsSinceEpoch: second + millisecond)
            let fraction = String(String(1000 + millisecond).dropFirst())
            #expect(moment.description.hasSuffix(".\(fraction)Z"))
            #expect(Timestamp(rfc3339: moment.description) == moment)
            #expect(Timestamp(moment.date) == moment)
        }
    }

    @Test("it is written as RFC 3339 in UTC with milliseconds")
    func form() {
        #expect(Timestamp(millisecondsSinceEpoch: Self.second).description == "2026-11-23T21:34:22.000Z")
        #expect(Timestamp(millisecondsSinceEpoch: 0).description == "1970-01-01T00:00:00.000Z")
    }

    @Test("moments before 1970 are moments too")
    func beforeTheEpoch() {
        let moment = Timestamp(millisecondsSinceEpoch: -1)
        #expect(moment.description == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(rfc3339: moment.description) == moment)
    }

    @Test("a time without a fraction is read")
    func withoutFraction() {
        #expect(Timestamp(rfc3339: "2026-11-23T21:34:22Z")?.millisecondsSinceEpoch == Self.second)
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "now", "2026-11-23", "21:34:22", "2026-13-01T00:00:00Z", "1795469662", "2026-11-23T21:34:22", "2026-11-23T21:34:22.000",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Timestamp.self, from: JSONEncoder().encode(text)) }
    }

    @Test("in JSON it is its text")
    func json() throws {
        let moment = Timestamp(millisecondsSinceEpoch: Self.second + 7)
        let data = try JSONEncoder().encode([moment])
        #expect(String(decoding: data, as: UTF8.self) == #"["2026-11-23T21:34:22.007Z"]"#)
        #expect(try JSONDecoder().decode([Timestamp].self, from: data) == [moment])
    }

    @Test("durations move it, and two moments are a duration apart; what is finer than a millisecond is cut")
    func arithmetic() {
        let moment = Timestamp(millisecondsSinceEpoch: 1000)
        #expect((moment + .seconds(2)).millisecondsSinceEpoch == 3000)
        #expect((moment - .milliseconds(1)).millisecondsSinceEpoch == 999)
        #expect((moment + .microseconds(1999)).millisecondsSinceEpoch == 1001)
        #expect(moment + .seconds(2) - moment == .seconds(2))
        #expect(moment < moment + .milliseconds(1))
        #expect(Timestamp(millisecondsSinceEpoch: 1999).secondsSinceEpoch == 1)
    }
}

@Suite("RFC 3339 against Foundation")
struct TimestampOracleTests {
    @Test("any moment from 1583 to 9999, where Foundation counts by the same calendar, is written and read as Foundation does")
    func random() {
        let format = Date.ISO8601FormatStyle()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let second = Int64.random(in: -12_212_553_600..<253_402_300_800, using: &generator)
            let moment = Timestamp(millisecondsSinceEpoch: second * 1000)
            let text = Date(timeIntervalSince1970: Double(second)).formatted(format)
            #expect(moment.description == text.dropLast() + ".000Z")
            #expect(Timestamp(rfc3339: text) == moment)
        }
    }

    @Test(
        "days that are not in the calendar, other offsets and cut texts are refused",
        arguments: [
            "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+01:00",
            "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00ZZ", "26-01-01T00:00:00Z", "",
        ])
    func refused(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("a leap day is read")
    func leapDay() {
        #expect(Timestamp(rfc3339: "2024-02-29T12:00:00.5Z")?.description == "2024-02-29T12:00:00.500Z")
        #expect(Timestamp(rfc3339: "2000-02-29T00:00:00Z") != nil)
    }
}
