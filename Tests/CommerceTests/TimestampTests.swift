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
