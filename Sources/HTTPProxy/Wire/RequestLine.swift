/// `method SP request-target SP HTTP-version` (RFC 9112 section 3), with the target taken apart.
struct RequestLine {
    let method: ByteRange
    let path: ByteRange
    let query: ByteRange?
    /// The authority of an absolute-form target.
    let authority: ByteRange?
    /// 0 or 1, or nil when the version is well-formed but none this proxy speaks.
    let minorVersion: Int?

    private static let maximumMethodLength = 32

    /// Nil when the line is not a request line of exactly this form, with single spaces.
    init?(_ bytes: UnsafeRawBufferPointer, length: Int) {
        var index = 0
        while index < length, bytes[index].isToken { index += 1 }
        guard index > 0, index <= Self.maximumMethodLength, index < length, bytes[index] == .space else { return nil }
        method = ByteRange(start: 0, end: index)
        let targetStart = index + 1
        index = targetStart
        var question: Int?
        while index < length, bytes[index].isVisible {
            if bytes[index] == 0x23 { return nil }  // A fragment never leaves the client.
            if bytes[index] == .questionMark, question == nil { question = index }
            index += 1
        }
        guard index > targetStart, index + 9 == length, bytes[index] == .space else { return nil }
        guard let version = Self.minorVersion(bytes[part: ByteRange(start: index + 1, end: length)]) else { return nil }
        minorVersion = version >= 0 ? version : nil
        let pathEnd = question ?? index
        query = question.map { ByteRange(start: $0 + 1, end: index) }
        guard let target = Self.split(bytes, ByteRange(start: targetStart, end: pathEnd)) else { return nil }
        path = target.path
        authority = target.authority
    }

    /// The minor version, -1 for another version, nil when it is no version at all.
    private static func minorVersion(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count == 8, bytes[0] == 0x48, bytes[1] == 0x54, bytes[2] == 0x54, bytes[3] == 0x50, bytes[4] == .slash,
            bytes[5].isDigit, bytes[6] == .dot, bytes[7].isDigit
        else { return nil }
        guard bytes[5] == 0x31, bytes[7] == 0x30 || bytes[7] == 0x31 else { return -1 }
        return Int(bytes[7] - 0x30)
    }

    /// Origin form as it is; absolute form (`http://authority/path`) in its two parts.
    private static func split(_ bytes: UnsafeRawBufferPointer, _ target: ByteRange) -> (path: ByteRange, authority: ByteRange?)? {
        if bytes[target.start] == .slash { return (target, nil) }
        let text = bytes[part: target]
        let scheme = text.hasPrefix("http://") ? 7 : text.hasPrefix("https://") ? 8 : 0
        // Anything else, such as `*`, names no resource here; the path check refuses it.
        guard scheme > 0 else { return (target, nil) }
        let start = target.start + scheme
        var end = start
        while end < target.end, bytes[end] != .slash { end += 1 }
        guard end > start, end < target.end else { return nil }
        return (ByteRange(start: end, end: target.end), ByteRange(start: start, end: end))
    }
}
