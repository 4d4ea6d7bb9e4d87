/// Writes one JSON text straight into bytes, in the order told: for log lines and span batches, where `JSONEncoder` costs tens of microseconds.
///
/// Commas look after themselves: a value or key gets one unless it follows `{`, `[` or `:`, or stands first.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    mutating func object(_ members: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        members(&self)
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func array(_ elements: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "["))
        elements(&self)
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// - Parameter limit: at most so many bytes of `text` are written; a cut shows as `…`.
    mutating func string(_ text: String, limit: Int = .max) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        EscapedText.append(text, to: &bytes, quoted: true, limit: limit)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func integer(_ number: Int64) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    /// JSON has no infinities: they and NaN are written as the strings of the Protocol Buffers JSON mapping.
    mutating func number(_ number: Double) {
        guard number.isFinite else { return string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity") }
        separate()
        bytes.append(contentsOf: number.description.utf8)
    }

    mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes bytes that are a whole JSON string's content already, between quotes.
    mutating func plain(_ append: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        append(&bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
        default: bytes.append(UInt8(ascii: ","))
        }
    }
}
