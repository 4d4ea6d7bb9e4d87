import Commerce
import Foundation
import Testing

@Suite("Civil time")
struct CivilTimeTests {
    /// 0000-01-01T00:00:00Z and the last millisecond of the year 9999.
    private static let years: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999
    /// 1582-10-15: Foundation's calendar is the Julian one before it.
    private static let firstGregorian: Int64 = -12_219_292_800_000

    @Test("random moments are written as Foundation writes them")
    func likeFoundation() {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var random = SeededRandom(state: 1)
        for _ in 0..<20_000 {
            let milliseconds = Int64.random(in: Self.firstGregorian...Self.years.upperBound, using: &random)
            let expected = Date(timeIntervalSince1970: (Double(milliseconds) + 0.5) / 1000).formatted(format)
            #expect(Timestamp(millisecondsSinceEpoch: milliseconds).description == expected)
        }
    }

    @Test("random moments of the years 0 to 9999 are read back as themselves")
    func roundTrip() {
        var random = SeededRandom(state: 2)
        for _ in 0..<50_000 {
            let moment = Timestamp(millisecondsSinceEpoch: .random(in: Self.years, using: &random))
            #expect(Timestamp(rfc3339: moment.description) == moment)
        }
    }

    @Test("random times without a fraction and with one are read as Foundation reads them")
    func readLikeFoundation() throws {
        let withFraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var random = SeededRandom(state: 3)
        for _ in 0..<5_000 {
            let milliseconds = Int64.random(in: Self.firstGregorian...Self.years.upperBound, using: &random)
            let text = Timestamp(millisecondsSinceEpoch: milliseconds).description
            #expect(Timestamp(rfc3339: text) == Timestamp(try withFraction.parse(text)))
            let whole = text.dropLast(5) + "Z"
            #expect(Timestamp(rfc3339: String(whole)) == Timestamp(try Date.ISO8601FormatStyle().parse(String(whole))))
        }
    }

    @Test("every day from the year 0 to 9999 follows the one before it, by the Gregorian rules")
    func everyDay() {
        var (year, month, day) = (0, 1, 1)
        var milliseconds = Self.years.lowerBound
        var mistakes = 0
        while milliseconds < Self.years.upperBound {
            let civil = CivilTime(Timestamp(millisecondsSinceEpoch: milliseconds))
            if (civil.year, civil.month, civil.day) != (year, month, day) { mistakes += 1 }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
            if day < length { day += 1 } else { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
            milliseconds += 86_400_000
        }
        #expect(mistakes == 0 && year == 10_000)
    }

    @Test(
        "UTC may be written Z, z, +00:00 or -00:00, and a fraction with any number of digits",
        arguments: [
            ("2026-11-23T21:34:22z", 0), ("2026-11-23T21:34:22+00:00", 0), ("2026-11-23T21:34:22-00:00", 0),
            ("2026-11-23T21:34:22.5Z", 500),
            ("2026-11-23T21:34:22.05+00:00", 50), ("2026-11-23T21:34:22.1234Z", 123), ("2026-11-23T21:34:22.1235Z", 124),
            ("2026-11-23T21:34:22.9995Z", 1000), ("2026-11-23T21:34:22.0000000000000000000000001Z", 0),
            ("2026-11-23T21:34:22.123456789012345678Z", 123),
        ] as [(String, Int64)])
    func forms(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.millisecondsSinceEpoch == 1_795_469_662_000 + milliseconds)
    }

    @Test("a leap second is the first of the next day, and stands at the end of a day only")
    func leapSecond() {
        #expect(Timestamp(rfc3339: "2016-12-31T23:59:60Z") == Timestamp(rfc3339: "2017-01-01T00:00:00Z"))
        #expect(Timestamp(rfc3339: "2016-12-31T22:59:60Z") == nil)
    }

    @Test(
        "what the calendar or the clock does not have, what is not UTC and what is written otherwise is refused",
        arguments: [
            "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2024-04-31T00:00:00Z", "2024-00-10T00:00:00Z",
            "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z", "2024-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T23:60:00Z",
            "2026-11-23T23:59:61Z", "2026-11-23T21:34:22+01:00", "2026-11-23T21:34:22-00:01", "2026-11-23T21:34:22+0000",
            "2026-11-23T21:34:22+00",
            "2026-11-23T21:34:22.Z", "2026-11-23T21:34:22,5Z", "2026-11-23t21:34:22Z", "2026-11-23 21:34:22Z", "2026-11-23T21:34:22Zx",
            "2026-11-23T21:34:22Z ", " 2026-11-23T21:34:22Z", "2026-1-3T1:4:2Z", "20261123T213422Z", "12026-11-23T21:34:22Z",
            "-026-11-23T21:34:22Z",
            "+2026-11-23T21:34:22Z", "2026-11-23T21:34Z", "2026-11-23T21:34:22GMT", "２０２６-11-23T21:34:22Z", "2026-11-23T21:34:22.5",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("leap days are days")
    func leapDays() {
        #expect(Timestamp(rfc3339: "2024-02-29T00:00:00Z")?.description == "2024-02-29T00:00:00.000Z")
        #expect(Timestamp(rfc3339: "2000-02-29T23:59:59.999Z")?.millisecondsSinceEpoch == 951_868_799_999)
    }

    @Test("years that RFC 3339 does not have are written so that no reader takes them for others")
    func farYears() {
        for milliseconds in [Self.years.upperBound + 1, Self.years.lowerBound - 1, .max, .min] as [Int64] {
            let text = Timestamp(millisecondsSinceEpoch: milliseconds).description
            #expect(text.hasPrefix("+") || text.hasPrefix("-"))
            #expect(Timestamp(rfc3339: text) == nil)
        }
        #expect(Timestamp(millisecondsSinceEpoch: Self.years.upperBound + 1).description == "+000010000-01-01T00:00:00.000Z")
        #expect(Timestamp(millisecondsSinceEpoch: Self.years.lowerBound).description == "0000-01-01T00:00:00.000Z")
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same moments everywhere.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
