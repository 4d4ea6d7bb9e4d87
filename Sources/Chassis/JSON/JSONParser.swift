// Parsing JSON (RFC 8259) into a flat list of tokens.
//
// The list, not a tree: a value is a token, a container is a token followed by the tokens of what it holds, and each token knows the next
// one beside it. Nothing is allocated but the list, nothing is copied out of the text, and whoever wants a member only walks over names.
//
// The walk is a loop with two states, "a value must come" and "a value has come". Its stack is in the tokens themselves: as long as a
// container is open, its `next` is the container around it. So nesting costs no stack of the thread; it is bounded nevertheless, because
// the types that are decoded from the tokens do recurse.
//
// Strict means: every text that RFC 8259 does not derive is refused, and so are three things which it leaves open and which attackers use
// to make two readers of one text disagree: a byte order mark, half a surrogate pair in an escape, and a name that stands twice in one
// object. The first mistake ends the parse; a text that is cut anywhere is refused, except that a number alone can be cut to a number.

/// Turns bytes into tokens; see the essay above.
struct JSONParser {
    static let deepestNesting = 128

    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0
    private(set) var tokens: [JSONToken] = []
    /// The innermost open container; -1 outside all.
    private var open = -1
    private var depth = 0

    static func tokens(of bytes: [UInt8]) throws(JSONError) -> [JSONToken] {
        try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
            var parser = JSONParser(bytes)
            try parser.parse()
            return parser.tokens
        }
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        tokens.reserveCapacity(bytes.count / 10 + 8)
    }

    private mutating func parse() throws(JSONError) {
        guard bytes.count < Int(UInt32.max) else { throw JSONError(byteOffset: 0, reason: .textTooLong) }
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { throw JSONError(byteOffset: 0, reason: .byteOrderMark) }
        repeat { try beginValue() } while try hasAnotherValue()
        guard index == bytes.count else { throw error(.endExpected) }
    }

    // MARK: A value must come

    /// Reads a scalar or an empty container, or goes into a container up to where its first value must stand.
    private mutating func beginValue() throws(JSONError) {
        while true {
            switch nextCharacter() {
            case UInt8(ascii: "\""): return try appendString()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try appendNumber()
            case UInt8(ascii: "t"): return try appendLiteral("true", .yes)
            case UInt8(ascii: "f"): return try appendLiteral("false", .no)
            case UInt8(ascii: "n"): return try appendLiteral("null", .null)
            case UInt8(ascii: "{"):
                try openContainer(.object)
                guard nextCharacter() != UInt8(ascii: "}") else { return try closeContainer() }
                try appendName()
            case UInt8(ascii: "["):
                try openContainer(.array)
                guard nextCharacter() != UInt8(ascii: "]") else { return try closeContainer() }
                tokens[open].count = 1
            default: throw error(.valueExpected)
            }
        }
    }

    private mutating func appendName() throws(JSONError) {
        guard nextCharacter() == UInt8(ascii: "\"") else { throw error(.nameExpected) }
        try appendString()
        guard nextCharacter() == UInt8(ascii: ":") else { throw error(.colonExpected) }
        index += 1
        tokens[open].count += 1
    }

    // MARK: A value has come

    /// Closes what ends here; true when another value must come.
    private mutating func hasAnotherValue() throws(JSONError) -> Bool {
        while true {
            let character = nextCharacter()
            guard open >= 0 else { return false }
            if tokens[open].kind == .object {
                if character == UInt8(ascii: ",") {
                    index += 1
                    try appendName()
                    return true
                }
                guard character == UInt8(ascii: "}") else { throw error(.commaOrBraceExpected) }
            } else {
                if character == UInt8(ascii: ",") {
                    index += 1
                    tokens[open].count += 1
                    return true
                }
                guard character == UInt8(ascii: "]") else { throw error(.commaOrBracketExpected) }
            }
            try closeContainer()
        }
    }

    // MARK: Containers

    private mutating func openContainer(_ kind: JSONToken.Kind) throws(JSONError) {
        guard depth < Self.deepestNesting else { throw error(.nestedTooDeep) }
        depth += 1
        let around = open
        open = tokens.count
        // While it is open, `next` is the container around it; one more, because outside all is -1.
        tokens.append(JSONToken(kind: kind, start: UInt32(index), end: 0, next: UInt32(around + 1)))
        index += 1
    }

    private mutating func closeContainer() throws(JSONError) {
        index += 1
        depth -= 1
        let closed = open
        open = Int(tokens[closed].next) - 1
        tokens[closed].end = UInt32(index)
        tokens[closed].next = UInt32(tokens.count)
        if tokens[closed].kind == .object, tokens[closed].count > 1,
            let name = JSONNames.firstDuplicate(inObject: closed, of: tokens, bytes)
        {
            throw JSONError(byteOffset: tokens[name].textRange.lowerBound, reason: .duplicateName)
        }
    }

    // MARK: Bytes

    /// The next byte that is no white space, without moving past it; 0 at the end, which no grammar rule takes for anything.
    @inline(__always)
    private mutating func nextCharacter() -> UInt8 {
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return byte
            }
        }
        return 0
    }

    mutating func append(_ token: JSONToken) {
        tokens.append(token)
    }

    /// Of a token that holds no others.
    var nextToken: UInt32 { UInt32(tokens.count + 1) }

    func error(_ reason: JSONError.Reason) -> JSONError {
        JSONError(byteOffset: index, reason: reason)
    }
}
