import Commerce
import Logging

/// A log line for people: clock, level and service in columns, the message, then `key=value` in a dim colour.
///
///     21:34:22.000 INFO  order-service         order placed  order=17 total=19.99 request=7f3a…
///
/// The trace and span ids are left out where there is a request id: on a terminal one handle is enough.
enum PrettyLogLine {
    private static let serviceWidth = 20

    static func bytes(_ record: LogRecord, colours: Bool) -> [UInt8] {
        var line = PrettyText(colours: colours)
        line.coloured(.dim) { CivilTime(record.time).appendClock(to: &$0) }
        line.space()
        line.coloured(colour(of: record.level)) { $0.append(contentsOf: name(of: record.level).utf8) }
        line.space()
        line.coloured(.cyan) { bytes in
            EscapedText.append(record.service, to: &bytes, quoted: false)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(0, serviceWidth - record.service.utf8.count)))
        }
        line.space()
        line.space()
        EscapedText.append(record.message, to: &line.bytes, quoted: false, limit: JSONLogLine.messageLimitBytes)

        if let error = record.error { line.pair("error", error.message, colour: .red) }
        for (key, value) in record.metadata { line.pair(key, value.description, colour: .dim) }
        if let logger = record.logger { line.pair("logger", logger, colour: .dim) }
        if let requestID = record.requestID {
            line.pair("request", requestID, colour: .dim)
        } else if let traceID = record.traceID {
            line.pair("trace", traceID, colour: .dim)
        }
        line.bytes.append(UInt8(ascii: "\n"))
        return line.bytes
    }

    private static func name(of level: Logger.Level) -> String {
        switch level {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO "
        case .notice: "NOTE "
        case .warning: "WARN "
        case .error: "ERROR"
        case .critical: "FATAL"
        }
    }

    private static func colour(of level: Logger.Level) -> PrettyText.Colour {
        switch level {
        case .trace, .debug: .dim
        case .info: .green
        case .notice: .blue
        case .warning: .yellow
        case .error, .critical: .red
        }
    }
}

/// A line under construction, with ANSI colours (ECMA-48 SGR) or without.
private struct PrettyText {
    enum Colour: String {
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case cyan = "36"
    }

    var bytes: [UInt8] = []
    private let colours: Bool

    init(colours: Bool) {
        self.colours = colours
        bytes.reserveCapacity(256)
    }

    mutating func space() {
        bytes.append(UInt8(ascii: " "))
    }

    mutating func coloured(_ colour: Colour, _ append: (inout [UInt8]) -> Void) {
        if colours { bytes.append(contentsOf: "\u{1B}[\(colour.rawValue)m".utf8) }
        append(&bytes)
        if colours { bytes.append(contentsOf: "\u{1B}[0m".utf8) }
    }

    /// A value with spaces or quotes is quoted, so that the end of each pair is plain to see.
    mutating func pair(_ key: String, _ value: String, colour: Colour) {
        let isQuoted = value.isEmpty || value.utf8.contains { $0 <= UInt8(ascii: " ") || "\"=".utf8.contains($0) }
        space()
        coloured(colour) { bytes in
            EscapedText.append(key, to: &bytes, quoted: false)
            bytes.append(UInt8(ascii: "="))
            if isQuoted { bytes.append(UInt8(ascii: "\"")) }
            EscapedText.append(value, to: &bytes, quoted: isQuoted, limit: JSONLogLine.valueLimitBytes)
            if isQuoted { bytes.append(UInt8(ascii: "\"")) }
        }
    }
}
