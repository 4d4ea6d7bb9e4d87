/// A moment taken apart into UTC's year, month, day and clock, and put together again, without Foundation: a log line and an event need it
/// in nanoseconds, not microseconds.
///
/// The calendar is the Gregorian one for all times, as RFC 3339 and ISO 8601 have it, also before 1582.
public struct CivilTime: Sendable, Hashable {
    public let year: Int, month: Int, day: Int
    public let hour: Int, minute: Int, second: Int, millisecond: Int

    private static let millisecondsPerDay: Int64 = 86_400_000
    /// From 0000-03-01, where the eras begin, to 1970-01-01.
    private static let daysBeforeEpoch: Int64 = 719_468
    /// An era is 400 years; all have the same length.
    private static let daysPerEra: Int64 = 146_097

    /// Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms"), exact for every 64-bit day count: years are
    /// counted from March, so that the leap day comes last.
    public init(_ moment: Timestamp) {
        let (days, millisecondOfDay) = moment.millisecondsSinceEpoch.flooredQuotientAndRemainder(dividingBy: Self.millisecondsPerDay)
        let (era, dayOfEra) = (days + Self.daysBeforeEpoch).flooredQuotientAndRemainder(dividingBy: Self.daysPerEra)
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

    /// Days from 1970-01-01 to a day of the years 0 to 9999; Hinnant's `days_from_civil`.
    static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = yearFromMarch.flooredQuotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * daysPerEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - daysBeforeEpoch
    }

    static func daysInMonth(_ month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

// MARK: - Text

extension CivilTime {
    /// RFC 3339 with milliseconds: `2026-11-23T21:34:22.000Z`.
    ///
    /// RFC 3339 knows the years 0000 to 9999. Others are written with a sign or more digits, as ISO 8601 does between friends, and no
    /// reader of RFC 3339 takes them.
    public func appendRFC3339(to bytes: inout [UInt8]) {
        if (0...9999).contains(year) {
            Self.append(year, digits: 4, to: &bytes)
        } else {
            bytes.append(UInt8(ascii: year < 0 ? "-" : "+"))
            Self.append(year, digits: 9, to: &bytes)
        }
        bytes.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendClock(to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// `21:34:22.000`
    public func appendClock(to bytes: inout [UInt8]) {
        Self.append(hour, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(minute, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(second, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(millisecond, digits: 3, to: &bytes)
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor: UInt = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number.magnitude / divisor % 10))
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
