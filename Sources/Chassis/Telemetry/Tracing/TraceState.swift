/// What other tracing systems on the way wrote for themselves: the `tracestate` header of W3C Trace Context (Recommendation of 2021, section 3.3).
///
/// Nothing here reads it; it is passed on. A list that breaks the grammar is dropped whole, as the specification demands, without touching the
/// `traceparent` beside it. Of members with the same key the first, which is the newest, stays.
public struct TraceState: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public let key: String
        public let value: String
    }

    /// Newest first.
    public let members: [Member]

    private static let memberLimit = 32
    /// The length that everybody must be able to pass on; beyond it members are left out.
    private static let headerLimit = 512
    /// Members longer than this are the first to go.
    private static let longMember = 128

    public static let empty = TraceState(members: [])

    private init(members: [Member]) {
        self.members = members
    }

    /// Reads a header's value; several headers are to be joined by commas first. Nil if it breaks the grammar or has more than 32 members.
    public init?(_ header: String) {
        var members: [Member] = []
        for part in header.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
            let text = part.trimmingOptionalWhitespace
            guard !text.isEmpty else { continue }
            guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let key = text[..<equals]
            let value = text[text.index(after: equals)...]
            guard Self.isKey(key), Self.isValue(value), members.count < Self.memberLimit else { return nil }
            let member = Member(key: String(decoding: key, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
            if !members.contains(where: { $0.key == member.key }) { members.append(member) }
        }
        self.members = members
    }

    /// At most 512 characters: first the members over 128 characters are left out, the last of them first, then members from the end.
    public var headerValue: String {
        var texts = members.map { "\($0.key)=\($0.value)" }
        func length() -> Int { texts.reduce(texts.count - 1) { $0 + $1.utf8.count } }
        while length() > Self.headerLimit, let long = texts.lastIndex(where: { $0.utf8.count > Self.longMember }) { texts.remove(at: long) }
        while length() > Self.headerLimit { texts.removeLast() }
        return texts.joined(separator: ",")
    }

    // MARK: Grammar

    /// `simple-key` or `tenant-id@system-id`.
    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        let parts = key.split(separator: UInt8(ascii: "@"), maxSplits: 2, omittingEmptySubsequences: false)
        switch parts.count {
        case 1:
            return isName(parts[0], limit: 256, mayStartWithDigit: false)
        case 2:
            return isName(parts[0], limit: 241, mayStartWithDigit: true) && isName(parts[1], limit: 14, mayStartWithDigit: false)
        default:
            return false
        }
    }

    private static func isName(_ name: Substring.UTF8View, limit: Int, mayStartWithDigit: Bool) -> Bool {
        guard let first = name.first, name.count <= limit else { return false }
        guard isLetter(first) || mayStartWithDigit && isDigit(first) else { return false }
        return name.allSatisfy { isLetter($0) || isDigit($0) || "_-*/".utf8.contains($0) }
    }

    /// 1 to 256 printable ASCII characters but `,` and `=`, the last no space.
    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        guard let last = value.last, value.count <= 256, last != UInt8(ascii: " ") else { return false }
        return value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension Substring.UTF8View {
    fileprivate var trimmingOptionalWhitespace: Self {
        func isWhitespace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = self[...]
        while let first = rest.first, isWhitespace(first) { rest = rest.dropFirst() }
        while let last = rest.last, isWhitespace(last) { rest = rest.dropLast() }
        return rest
    }
}
