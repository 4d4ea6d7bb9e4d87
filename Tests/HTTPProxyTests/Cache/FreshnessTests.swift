import NIOCore
import Testing

@testable import HTTPProxy

@Suite("How long a response may be used")
struct FreshnessTests {
    private static let second: Int64 = 1_000_000_000

    private static func freshness(_ fields: [String], delay: Int64 = 0, unixSeconds: Int64 = CacheFixture.unixSeconds) throws -> Freshness?
    {
        let head = try CacheFixture.response(200, fields)
        let moment = Freshness.Moment(requestedAt: 0, receivedAt: delay, unixSeconds: unixSeconds)
        return Freshness(head, CacheDirectives(head), moment)
    }

    @Test(
        "its lifetime is what it says, for shared caches first, and of two readings the shorter",
        arguments: [
            (["Cache-Control: max-age=60"], 60), (["Cache-Control: MAX-AGE=60"], 60), (["Cache-Control: max-age=\"60\""], 60),
            (["Cache-Control: s-maxage=5, max-age=60"], 5), (["Cache-Control: max-age=5, s-maxage=60"], 60),
            (["Cache-Control: max-age=60, max-age=5"], 5), (["Cache-Control: max-age=60", "Cache-Control: max-age=5"], 5),
            (["Cache-Control: ,, public ,max-age=60,"], 60), (["Cache-Control: x=\"a, max-age=1\", max-age=60"], 60),
            (["Cache-Control: max-age=99999999999999999999"], 1 << 31), (["Cache-Control: max-age=3000000000"], 1 << 31),
            (["Cache-Control: max-age=60", "Expires: 0"], 60),
            (["Date: \(CacheFixture.date)", "Expires: Sun, 06 Nov 1994 08:50:37 GMT"], 60),
            (["Expires: Sunday, 06-Nov-94 08:50:37 GMT"], 60), (["Expires: Sun Nov  6 08:50:37 1994"], 60),
            // Nothing, or nothing that makes sense.
            ([], nil), (["Cache-Control: public"], nil), (["Cache-Control: max-age=0"], nil), (["Cache-Control: max-age=-1"], nil),
            (["Cache-Control: max-age"], nil), (["Cache-Control: max-age=60s"], nil), (["Cache-Control: max-age=\"\""], nil),
            (["Cache-Control: max-age=60, s-maxage=0"], nil), (["Cache-Control: max-age=60, s-maxage=x"], nil),
            (["Cache-Control: max-age=60, max-age=x"], nil), (["Expires: 0"], nil), (["Expires: soon"], nil),
            (["Date: \(CacheFixture.date)", "Expires: \(CacheFixture.date)"], nil),
            (["Expires: Sun, 06 Nov 1994 08:50:37 GMT", "Expires: Sun, 06 Nov 1994 08:50:37 GMT"], nil),
            (["Cache-Control: max-age=60", "Date: yesterday"], nil), (["Cache-Control: max-age=60", "Age: old"], nil),
            (["Cache-Control: max-age=60", "Age: 1", "Age: 2"], nil), (["Cache-Control: max-age=60", "Age: 60"], nil),
        ] as [([String], Int?)])
    func lifetime(fields: [String], seconds: Int?) throws {
        #expect(try Self.freshness(fields)?.lifetimeSeconds == seconds)
    }

    @Test("its age is what it was when it came, what its way took, and the time since")
    func age() throws {
        let fields = ["Cache-Control: max-age=60", "Age: 10", "Date: \(CacheFixture.date)"]
        let freshness = try #require(try Self.freshness(fields, delay: 2 * Self.second))
        #expect(freshness.ageSeconds(at: 2 * Self.second) == 12)
        #expect(freshness.ageSeconds(at: 9 * Self.second) == 19 && freshness.remainingSeconds(at: 9 * Self.second) == 41)
        // Not a second longer than it says, and not one shorter.
        #expect(freshness.isFresh(at: 50 * Self.second - 1) && !freshness.isFresh(at: 50 * Self.second))
    }

    @Test("a date that lies further back than it says makes it older, one in the future no younger")
    func apparentAge() throws {
        let fields = ["Cache-Control: max-age=60", "Age: 10", "Date: \(CacheFixture.date)"]
        #expect(try Self.freshness(fields, unixSeconds: CacheFixture.unixSeconds + 30)?.ageSeconds(at: 0) == 30)
        #expect(try Self.freshness(fields, unixSeconds: CacheFixture.unixSeconds - 30)?.ageSeconds(at: 0) == 10)
        #expect(try Self.freshness(fields, unixSeconds: CacheFixture.unixSeconds + 60) == nil)
    }

    // MARK: Dates

    @Test(
        "dates of all three forms are read, and written in one",
        arguments: [
            (CacheFixture.date, CacheFixture.unixSeconds), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600), ("Fri, 31 Dec 1999 23:59:59 GMT", 946_684_799),
            ("Fri, 27 Nov 2026 06:00:00 GMT", 1_795_759_200), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ])
    func dates(text: String, seconds: Int64) {
        #expect(Array(text.utf8).withUnsafeBytes { HTTPDate.seconds($0) } == seconds)
        #expect(HTTPDate.text(seconds) == text)
    }

    @Test(
        "what is no date is none",
        arguments: [
            "", "0", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49 GMT and more", "784111777 784111777 784111",
            "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 06 Nov 19940 08:49:37 GMT",
        ])
    func noDates(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { HTTPDate.seconds($0) } == nil)
    }
}
