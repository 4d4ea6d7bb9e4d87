/// JSON text in the making: raw pieces, escaped strings and numbers, one after the other.
///
/// It knows values, not grammar: commas, colons and brackets are the caller's. Escaped is only what RFC 8259, section 7, asks for. For log
/// lines there is `JSONText`, which also escapes what could steer a terminal.
public struct JSONWriter {
    public internal(set) var bytes: [UInt8] = []

    public init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// Appends text that is JSON already.
    public mutating func append(raw text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Appends a JSON string, with its quotes.
    public mutating func append(string: String) {
        var string = string
        string.withUTF8 { append(quoted: $0) }
    }

    /// Appends a member's name and its colon.
    public mutating func append(name: String) {
        append(string: name)
        bytes.append(UInt8(ascii: ":"))
    }

    public mutating func append(_ bool: Bool) {
        append(raw: bool ? "true" : "false")
    }

    public mutating func appendNull() {
        append(raw: "null")
    }

    /// What the string says whose opening quote stands at `offset`.
    func string(at offset: Int) -> String {
        var end = offset + 1
        while bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        return JSONEscapes.string(bytes[(offset + 1)..<end])
    }

    mutating func append(byte: Unicode.Scalar) {
        bytes.append(UInt8(ascii: byte))
    }

    // MARK: Strings

    private mutating func append(quoted utf8: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        while true {
            let end = PlainRun.end(in: utf8, from: start, stopsAtNonASCII: false)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<end]))
            guard end < utf8.count else { break }
            appendEscape(of: utf8[end])
            start = end + 1
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(of byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let low = byte & 0x0F
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }
}
