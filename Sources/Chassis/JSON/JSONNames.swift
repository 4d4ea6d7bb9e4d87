/// Tells whether the names of an object's members are all different.
///
/// Names are the same when Swift takes them for the same: `"a"` and `"\u0061"`, and also `é` in its composed and its decomposed form, which
/// would be one key of a dictionary. Bytes decide where both names are plain ASCII, and nearly all are.
enum JSONNames {
    /// Up to so many members, each is compared with each; beyond, a set remembers them, so that no body costs quadratic time.
    private static let comparedLimit = 16

    /// The name that was there before; nil when all are different.
    static func firstDuplicate(inObject object: Int, of tokens: [JSONToken], _ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        let end = tokens.count
        return Int(tokens[object].count) <= comparedLimit
            ? comparing(from: object + 1, to: end, of: tokens, bytes) : remembering(from: object + 1, to: end, of: tokens, bytes)
    }

    private static func comparing(from first: Int, to end: Int, of tokens: [JSONToken], _ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var name = first
        while name < end {
            var earlier = first
            while earlier < name {
                if isSame(tokens[earlier], tokens[name], bytes) { return name }
                earlier = Int(tokens[earlier + 1].next)
            }
            name = Int(tokens[name + 1].next)
        }
        return nil
    }

    private static func remembering(from first: Int, to end: Int, of tokens: [JSONToken], _ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var seen: Set<String> = []
        var name = first
        while name < end {
            guard seen.insert(string(tokens[name], bytes)).inserted else { return name }
            name = Int(tokens[name + 1].next)
        }
        return nil
    }

    @inline(__always)
    private static func isSame(_ left: JSONToken, _ right: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.isPlain, right.isPlain else { return string(left, bytes) == string(right, bytes) }
        let length = Int(left.end - left.start)
        guard length == Int(right.end - right.start) else { return false }
        var offset = 0
        while offset < length {
            guard bytes[Int(left.start) + offset] == bytes[Int(right.start) + offset] else { return false }
            offset += 1
        }
        return true
    }

    private static func string(_ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> String {
        token.hasEscapes ? JSONEscapes.string(ArraySlice(bytes[token.range])) : String(decoding: bytes[token.range], as: UTF8.self)
    }
}
