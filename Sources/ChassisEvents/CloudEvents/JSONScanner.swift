import Foundation

/// Walks over JSON text and cuts values out of it without decoding them.
///
/// It checks as much structure as it needs to find where a value ends; what it cuts out is checked by whoever decodes it. It does not
/// recurse, so that deep nesting costs no stack.
struct JSONScanner {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Structure

    mutating func array(_ element: (inout JSONScanner) throws(MalformedBatch) -> Void) throws(MalformedBatch) {
        try expect("[")
        if take("]") { return }
        repeat { try element(&self) } while take(",")
        try expect("]")
    }

    mutating func object(_ member: (String, inout JSONScanner) throws(MalformedBatch) -> Void) throws(MalformedBatch) {
        try expect("{")
        if take("}") { return }
        repeat {
            let name = try string()
            try expect(":")
            try member(name, &self)
        } while take(",")
        try expect("}")
    }

    /// Fails unless only white space follows.
    mutating func end() throws(MalformedBatch) {
        skipWhitespace()
        guard index == bytes.count else { throw malformed("something follows the end") }
    }

    // MARK: Values

    mutating func string() throws(MalformedBatch) -> String {
        skipWhitespace()
        let start = index
        let isEscaped = try skipString()
        guard isEscaped else { return String(decoding: bytes[(start + 1)..<(index - 1)], as: UTF8.self) }
        do {
            return try JSONDecoder().decode(String.self, from: Data(bytes[start..<index]))
        } catch {
            throw malformed("a string has a wrong escape")
        }
    }

    /// The text of the next value, whatever it is.
    mutating func rawValue() throws(MalformedBatch) -> String {
        skipWhitespace()
        let start = index
        var depth = 0
        repeat {
            guard index < bytes.count else { throw malformed("a value does not end") }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                _ = try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                index += 1
                guard depth >= 0 else { throw malformed("a value is missing") }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
                guard depth > 0 else { throw malformed("a value is missing") }
                index += 1
            default:
                skipScalar()
            }
        } while depth > 0
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    // MARK: Bytes

    private mutating func skipWhitespace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }

    /// Moves past a number, `true`, `false` or `null`.
    private mutating func skipScalar() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "\""), 0x20, 0x09, 0x0A, 0x0D:
                return
            default: index += 1
            }
        }
    }

    /// Moves past a string; true when it holds an escape.
    private mutating func skipString() throws(MalformedBatch) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw malformed("a string is expected") }
        index += 1
        var isEscaped = false
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return isEscaped
            case UInt8(ascii: "\\"):
                isEscaped = true
                index += 2
            default:
                index += 1
            }
        }
        throw malformed("a string does not end")
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipWhitespace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(MalformedBatch) {
        guard take(character) else { throw malformed("\"\(character)\" is expected") }
    }

    private func malformed(_ reason: String) -> MalformedBatch {
        MalformedBatch(description: "the batch is not valid JSON at byte \(min(index, bytes.count)): \(reason)")
    }
}
