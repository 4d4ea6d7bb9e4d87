extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2026-11-23T21:34:22.000Z`.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        CivilTime(self).appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads RFC 3339 in UTC, with or without a fraction of a second. Fails on anything else.
    ///
    /// UTC is `Z`, `z`, `+00:00` or `-00:00`; other offsets are refused. The fraction has any number of digits and is rounded to the
    /// millisecond, half a millisecond up. Days must be in the calendar. The sixtieth second, a leap second of RFC 3339, is allowed at 23:59
    /// only and is, as POSIX counts, the first of the next day.
    public init?(rfc3339 text: String) {
        var text = text
        let milliseconds = text.withUTF8 { utf8 in
            var reader = RFC3339Reader(utf8)
            return reader.millisecondsSinceEpoch()
        }
        guard let milliseconds else { return nil }
        self.init(millisecondsSinceEpoch: milliseconds)
    }
}

/// Walks over `YYYY-MM-DDThh:mm:ss[.f…]` and the name of UTC, to the end.
private struct RFC3339Reader {
    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
    }

    mutating func millisecondsSinceEpoch() -> Int64? {
        guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"), let day = number(digits: 2), take("T"),
            let hour = number(digits: 2), take(":"), let minute = number(digits: 2), take(":"), let second = number(digits: 2),
            let fraction = fraction(), takeUTC(), index == text.count
        else { return nil }
        guard (1...12).contains(month), (1...CivilTime.daysInMonth(month, year: year)).contains(day) else { return nil }
        guard hour < 24, minute < 60, second < 60 || (second == 60 && hour == 23 && minute == 59) else { return nil }
        let days = CivilTime.daysSinceEpoch(year: year, month: month, day: day)
        return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
    }

    private mutating func number(digits: Int) -> Int64? {
        var number: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// A fraction in milliseconds; 0 when there is none.
    private mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        guard let tenths = digit() else { return nil }
        var milliseconds = tenths * 100
        milliseconds += (digit() ?? 0) * 10
        milliseconds += digit() ?? 0
        if let next = digit(), next >= 5 { milliseconds += 1 }
        while digit() != nil {}
        return milliseconds
    }

    private mutating func takeUTC() -> Bool {
        if take("Z") || take("z") { return true }
        guard take("+") || take("-") else { return false }
        return take("0") && take("0") && take(":") && take("0") && take("0")
    }

    private mutating func digit() -> Int64? {
        guard index < text.count, text[index] &- UInt8(ascii: "0") <= 9 else { return nil }
        defer { index += 1 }
        return Int64(text[index] - UInt8(ascii: "0"))
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }
}
