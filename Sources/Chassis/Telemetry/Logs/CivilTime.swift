import Commerce

/// A moment taken apart into UTC's year, month, day and clock, without Foundation: a log line needs it in nanoseconds, not microseconds.
struct CivilTime {
    let year: Int, month: Int, day: Int
    let hour: Int, minute: Int, second: Int, millisecond: Int

    /// Howard Hinnant's `civil_from_days`, exact for every 64-bit day count: years are counted from March, so that the leap day comes last,
    /// and eras of 400 years have all the same length.
    init(_ moment: Timestamp) {
        let (days, millisecondOfDay) = moment.millisecondsSinceEpoch.flooredQuotientAndRemainder(dividingBy: 86_400_000)
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153

        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        hour = Int(millisecondOfDay / 3_600_000)
        minute = Int(millisecondOfDay / 60_000 % 60)
        second = Int(millisecondOfDay / 1000 % 60)
        millisecond = Int(millisecondOfDay % 1000)
    }

    /// RFC 3339 with milliseconds: `2026-11-23T21:34:22.000Z`. Years are four digits; the clock of a running service is between 0 and 9999.
    func appendRFC3339(to bytes: inout [UInt8]) {
        Self.append(year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendClock(to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// `21:34:22.000`
    func appendClock(to bytes: inout [UInt8]) {
        Self.append(hour, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(minute, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(second, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(millisecond, digits: 3, to: &bytes)
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number.magnitude / UInt(divisor) % 10))
            divisor /= 10
        }
    }
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
