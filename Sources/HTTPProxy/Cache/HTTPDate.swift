// Dates as HTTP writes them (RFC 9110 section 5.6.7). One form is written; the two older ones are still read, as the RFC asks for.

/// Points in time with a precision of a second, as seconds since 1970.
enum HTTPDate {
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Nil when it is no date of the three forms.
    static func seconds(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard (24...40).contains(bytes.count) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.split { " ,:-".contains($0) }.map(String.init)
        let (day, month, year, time): (String, String, String, ArraySlice<String>)
        switch words.count {
        // Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT
        case 8 where words[7] == "GMT": (day, month, year, time) = (words[1], words[2], words[3], words[4...6])
        // Sun Nov  6 08:49:37 1994
        case 7: (day, month, year, time) = (words[2], words[1], words[6], words[3...5])
        default: return nil
        }
        guard let month = months.firstIndex(of: month), let year = fullYear(year), let day = number(day, in: 1...31) else { return nil }
        let clock = time.map { number($0, in: 0...60) }
        guard let hour = clock[0], let minute = clock[1], let second = clock[2], hour < 24, minute < 60 else { return nil }
        let date = daysSince1970(year: year, month: Int64(month + 1), day: day)
        // The 31st of a month of 30 days is the first of the next one by this arithmetic, and no date.
        guard civil(date).day == day else { return nil }
        return date * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(_ seconds: Int64) -> String {
        let date = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let (year, month, day) = civil(date)
        let time = seconds - date * 86_400
        // The first of January 1970 was a Thursday.
        let weekday = days[Int(((date + 3) % 7 + 7) % 7)]
        let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
        return "\(weekday), \(twoDigits(day)) \(months[Int(month) - 1]) \(year) \(clock) GMT"
    }

    private static func number(_ text: String, in range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.count <= 2, text.utf8.allSatisfy(\.isDigit), let number = Int64(text) else { return nil }
        return range.contains(number) ? number : nil
    }

    /// Of two digits: those of the last thirty years of the twentieth century, or of this one.
    private static func fullYear(_ text: String) -> Int64? {
        guard text.utf8.allSatisfy(\.isDigit), let year = Int64(text) else { return nil }
        return switch text.utf8.count {
        case 4: year
        case 2: year + (year < 70 ? 2000 : 1900)
        default: nil
        }
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    // MARK: The calendar
    //
    // Years that begin in March have their leap day at the end, and 400 of them always have the same number of days.

    private static let daysOf400Years: Int64 = 146_097
    /// From the first of March of the year 0 to 1970.
    private static let daysBefore1970: Int64 = 719_468

    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let era = year / 400
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * daysOf400Years + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - daysBefore1970
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + daysBefore1970
        let era = shifted / daysOf400Years
        let dayOfEra = shifted % daysOf400Years
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
