import Foundation

extension JSONWriter {
    /// Appends an integer of any width in decimal digits.
    public mutating func append<Integer: FixedWidthInteger>(_ integer: Integer) {
        guard let magnitude = UInt64(exactly: integer.magnitude) else { return append(raw: String(integer)) }
        if integer < 0 { bytes.append(UInt8(ascii: "-")) }
        append(digitsOf: magnitude)
    }

    /// Appends the shortest digits that are read back as the same number; a whole number has no fraction. The number must be finite.
    mutating func append<Number: BinaryFloatingPoint & CustomStringConvertible>(_ number: Number) {
        let digits = number.description
        append(raw: digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits)
    }

    /// Appends the exact number, without an exponent.
    /// - Returns: false, having appended nothing, for NaN.
    mutating func append(_ number: Decimal) -> Bool {
        guard number.isFinite else { return false }
        append(raw: number.description)
        return true
    }

    /// Appends a whole document, members in the order of their names. Recurses as deep as the value does.
    /// - Returns: false for a NaN in it; what was appended by then is no JSON.
    mutating func append(_ value: JSONValue) -> Bool {
        switch value {
        case .null: appendNull()
        case .bool(let bool): append(bool)
        case .integer(let integer): append(integer)
        case .decimal(let decimal): return append(decimal)
        case .string(let text): append(string: text)
        case .array(let elements):
            append(byte: "[")
            for (index, element) in elements.enumerated() {
                if index > 0 { append(byte: ",") }
                guard append(element) else { return false }
            }
            append(byte: "]")
        case .object(let members):
            append(byte: "{")
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(byte: ",") }
                append(name: member.key)
                guard append(member.value) else { return false }
            }
            append(byte: "}")
        }
        return true
    }

    private mutating func append(digitsOf magnitude: UInt64) {
        guard magnitude > 9 else { return bytes.append(UInt8(ascii: "0") + UInt8(magnitude)) }
        var count = 1
        var limit = magnitude / 10
        while limit > 0 {
            count += 1
            limit /= 10
        }
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: count))
        var rest = magnitude
        var index = bytes.count
        while rest > 0 {
            index -= 1
            bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
