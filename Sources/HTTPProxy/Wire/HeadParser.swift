// Reading a message head.
//
// The parser walks over the bytes once, a line at a time, and remembers how far it got, so that a client that sends one byte
// a second costs no more than one that sends all at once. It builds no strings: a field is a pair of offsets into the head's
// own bytes, which stay where the socket put them, and most of them leave for the upstream by one copy.
//
// It is strict where leniency has let two servers disagree about where a message ends (RFC 9112 section 11.2): a line ends with CRLF and
// nothing else, a name is a token directly followed by its colon, a continuation line (obs-fold) is an error, and a value
// holds no control bytes. Whoever reads after us sees only what we understood.

/// One header field line, as offsets from the start of the head.
struct FieldEntry: Sendable {
    var name: ByteRange
    var value: ByteRange
    /// The whole line, its CRLF included: what is copied when the field is forwarded untouched.
    var line: ByteRange
    var known: KnownField
}

/// How much head a peer may send.
struct HeadLimits: Sendable {
    /// The start line and all fields, in bytes.
    var maximumBytes: Int
    var maximumFields: Int
}

struct HeadParser {
    enum Progress: Equatable {
        case incomplete
        /// The head is complete and this many bytes long, its empty line included.
        case complete(Int)
        case malformed
        case tooLarge
    }

    private let limits: HeadLimits
    private let hasStartLine: Bool
    private(set) var fields: [FieldEntry] = []
    /// The length of the start line without its CRLF.
    private(set) var startLineLength = 0
    private var lineStart = 0
    private var scanned = 0

    /// - Parameter hasStartLine: false for a trailer section, which is fields only.
    init(limits: HeadLimits, hasStartLine: Bool = true) {
        self.limits = limits
        self.hasStartLine = hasStartLine
    }

    /// A part of a head was seen, but not its end.
    var hasStarted: Bool { scanned > 0 }

    /// Forgets the last head and keeps the memory it used.
    mutating func reset() {
        fields.removeAll(keepingCapacity: true)
        startLineLength = 0
        lineStart = 0
        scanned = 0
    }

    /// Goes on over `bytes`, which start where the head starts and contain all that was given before.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Progress {
        while let lineFeed = bytes.firstLineFeed(from: scanned) {
            if lineFeed >= limits.maximumBytes { return .tooLarge }
            let end = lineFeed - 1
            guard end >= lineStart, bytes[end] == .carriageReturn else { return .malformed }
            if lineStart == 0, hasStartLine {
                guard end > 0 else { return .malformed }
                startLineLength = end
            } else if end == lineStart {
                return .complete(lineFeed + 1)
            } else {
                guard fields.count < limits.maximumFields else { return .tooLarge }
                guard addField(bytes, end: end) else { return .malformed }
            }
            scanned = lineFeed + 1
            lineStart = scanned
        }
        scanned = bytes.count
        return bytes.count > limits.maximumBytes ? .tooLarge : .incomplete
    }

    private mutating func addField(_ bytes: UnsafeRawBufferPointer, end: Int) -> Bool {
        var colon = lineStart
        while colon < end, bytes[colon].isToken { colon += 1 }
        guard colon > lineStart, colon < end, bytes[colon] == .colon else { return false }
        var value = ByteRange(start: colon + 1, end: end)
        value.trim(in: bytes)
        guard bytes[part: value].areFieldValues else { return false }
        let name = ByteRange(start: lineStart, end: colon)
        fields.append(
            FieldEntry(
                name: name, value: value, line: ByteRange(start: lineStart, end: end + 2), known: KnownField(name: bytes[part: name])))
        return true
    }
}
