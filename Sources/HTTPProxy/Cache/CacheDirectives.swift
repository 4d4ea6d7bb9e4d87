// What `Cache-Control` says (RFC 9111 section 5.2). Whoever writes it wrongly, or the same twice, meant one thing or the other: of two readings the
// one is taken that keeps less.

/// The directives of a request or a response, as far as they are asked here.
struct CacheDirectives: Hashable {
    /// Something in it is not as the grammar has it.
    private(set) var isMalformed = false
    private(set) var isPublic = false
    private(set) var isPrivate = false
    private(set) var forbidsStoring = false
    /// `no-cache`, of a response also when it names fields.
    private(set) var demandsValidation = false
    private(set) var allowsStoredOnly = false
    /// Seconds. Nil: not said; 0 also for what is no number.
    private(set) var maximumAge: Int?
    private(set) var sharedMaximumAge: Int?
    /// Seconds that a response must still be fresh for.
    private(set) var minimumFreshness: Int?

    /// Longer times are this long: more than anybody waits (RFC 9111 section 1.2.2).
    static let longestSeconds = 1 << 31

    init(_ head: some MessageHead) {
        head.forEachValue(of: "cache-control") { add($0) }
    }

    init(_ value: String) {
        Array(value.utf8).withUnsafeBytes { add($0) }
    }

    private mutating func add(_ list: UnsafeRawBufferPointer) {
        var index = 0
        while index < list.count {
            guard ![UInt8.comma, .space, .tab].contains(list[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < list.count, list[index].isToken { index += 1 }
            let name = ByteRange(start: start, end: index)
            guard name.count > 0, let argument = Self.argument(list, &index), Self.isAtEnd(list, &index) else {
                isMalformed = true
                return
            }
            note(list[part: name], list[part: argument])
        }
    }

    /// What stands behind `=`, without quotes; empty when there is no `=`. Nil when it is neither token nor quoted string.
    private static func argument(_ list: UnsafeRawBufferPointer, _ index: inout Int) -> ByteRange? {
        guard index < list.count, list[index] == 0x3D else { return ByteRange(start: index, end: index) }
        index += 1
        guard index < list.count, list[index] == quote else {
            let start = index
            while index < list.count, list[index].isToken { index += 1 }
            return index > start ? ByteRange(start: start, end: index) : nil
        }
        index += 1
        let start = index
        while index < list.count, list[index] != quote { index += list[index] == .backslash ? 2 : 1 }
        guard index < list.count else { return nil }
        index += 1
        return ByteRange(start: start, end: index - 1)
    }

    private static let quote: UInt8 = 0x22

    /// Whether nothing but the end or a comma follows a directive.
    private static func isAtEnd(_ list: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
        while index < list.count, list[index] == .space || list[index] == .tab { index += 1 }
        return index == list.count || list[index] == .comma
    }

    private mutating func note(_ name: UnsafeRawBufferPointer, _ argument: UnsafeRawBufferPointer) {
        if name.spells("public") {
            isPublic = true
        } else if name.spells("private") {
            isPrivate = true
        } else if name.spells("no-store") {
            forbidsStoring = true
        } else if name.spells("no-cache") {
            demandsValidation = true
        } else if name.spells("only-if-cached") {
            allowsStoredOnly = true
        } else if name.spells("max-age") {
            maximumAge = min(maximumAge ?? .max, Self.seconds(argument) ?? 0)
        } else if name.spells("s-maxage") {
            sharedMaximumAge = min(sharedMaximumAge ?? .max, Self.seconds(argument) ?? 0)
        } else if name.spells("min-fresh") {
            minimumFreshness = max(minimumFreshness ?? 0, Self.seconds(argument) ?? Self.longestSeconds)
        }
    }

    /// Nil when it is no number of seconds.
    static func seconds(_ digits: UnsafeRawBufferPointer) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
        return min(FramingFields.decimal(digits) ?? longestSeconds, longestSeconds)
    }
}
