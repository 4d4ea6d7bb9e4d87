import Foundation

/// A parsed text: its bytes and what stands where in them.
struct JSONTokens {
    let bytes: [UInt8]
    let tokens: [JSONToken]

    init(parsing bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        tokens = try JSONParser.tokens(of: bytes)
    }

    @inline(__always)
    subscript(index: Int) -> JSONToken { tokens[index] }

    // MARK: Scalars

    /// The text of a string or of a member's name.
    @inline(__always)
    func string(_ token: JSONToken) -> String {
        guard !token.hasEscapes else { return JSONEscapes.string(bytes[token.range]) }
        return bytes.withUnsafeBufferPointer { String(decoding: UnsafeBufferPointer(rebasing: $0[token.range]), as: UTF8.self) }
    }

    /// A number as an integer; nil when it has a fraction or is out of range.
    @inline(__always)
    func integer<Integer: FixedWidthInteger>(_ token: JSONToken, as type: Integer.Type = Integer.self) -> Integer? {
        // 18 digits and a sign fit 64 bits.
        guard token.kind == .integer, token.end - token.start <= 18 else {
            return JSONNumber(bytes[token.range])?.integer()
        }
        var index = Int(token.start)
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var value: Int64 = 0
        while index < Int(token.end) {
            value = value &* 10 &+ Int64(bytes[index] &- UInt8(ascii: "0"))
            index += 1
        }
        return Integer(exactly: isNegative ? -value : value)
    }

    /// A number exactly; nil when it has more than 38 digits or is beyond 10^±127.
    func decimal(_ token: JSONToken) -> Decimal? {
        if token.kind == .integer, let integer = integer(token, as: Int64.self) { return Decimal(integer) }
        return JSONNumber(bytes[token.range])?.decimal
    }

    /// The `Double` or `Float` nearest to a number; nil when the number is beyond all of them.
    func floatingPoint<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ token: JSONToken, as type: Value.Type) -> Value? {
        // For a `Float` the way over `Double` would round twice.
        if type == Double.self, let value = JSONNumber(bytes[token.range])?.double as? Value { return value }
        guard let value = Value(String(decoding: bytes[token.range], as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    // MARK: Members

    /// The value of the member of this name, looked for from `start`, a name of the object, around to where it started.
    @inline(__always)
    func name(_ wanted: String, inObject object: Int, from start: Int) -> Int? {
        guard tokens[object].count > 0 else { return nil }
        var wanted = wanted
        return wanted.withUTF8 { utf8 in
            var name = start
            repeat {
                if isName(tokens[name], utf8) { return name }
                name = Int(tokens[name + 1].next)
                if name == Int(tokens[object].next) { name = object + 1 }
            } while name != start
            return nil
        }
    }

    @inline(__always)
    private func isName(_ token: JSONToken, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !token.hasEscapes else { return string(token).utf8.elementsEqual(wanted) }
        guard Int(token.end - token.start) == wanted.count else { return false }
        let start = Int(token.start)
        for offset in 0..<wanted.count where bytes[start + offset] != wanted[offset] { return false }
        return true
    }

    // MARK: Paths

    /// The names and indexes that lead from the top to the value at `target`. Found by walking, because only errors ask for it.
    func path(to target: Int) -> [any CodingKey] {
        var path: [any CodingKey] = []
        var container = 0
        while container < target {
            let isObject = tokens[container].kind == .object
            var value = container + (isObject ? 2 : 1)
            var index = 0
            while Int(tokens[value].next) <= target {
                value = Int(tokens[value].next) + (isObject ? 1 : 0)
                index += 1
            }
            path.append(isObject ? JSONKey(stringValue: string(tokens[value - 1])) : JSONKey(intValue: index))
            container = value
        }
        return path
    }
}
