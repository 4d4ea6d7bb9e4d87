// How the end of a body is found (RFC 9112 section 6.3), and the one place that decides it.
//
// Request smuggling is two servers answering this question differently. So a request is refused as soon as there could be two
// answers: both `Content-Length` and `Transfer-Encoding`, either of them twice, a length that is not just digits or begins with a zero that it
// does not need (somebody reads it as octal), a transfer coding that is not exactly `chunked`, or a transfer coding in HTTP/1.0.

/// How the end of a message body is found.
enum BodyFraming: Hashable, Sendable {
    case none
    /// Exactly this many bytes.
    case length(Int)
    case chunked
    /// All bytes until the connection ends. Responses only.
    case untilClose

    var hasBody: Bool {
        switch self {
        case .none, .length(0): false
        default: true
        }
    }
}

/// Collects the framing fields of one head and then answers how its body ends.
struct FramingFields {
    private var length: Int?
    private var lengthFields = 0
    private var codingFields = 0
    private var isChunked = false
    private var isMalformed = false

    mutating func add(_ field: FieldEntry, in bytes: UnsafeRawBufferPointer) {
        let value = bytes[part: field.value]
        switch field.known {
        case .contentLength:
            lengthFields += 1
            length = Self.decimal(value)
            if length == nil || (value.count > 1 && value[0] == 0x30) { isMalformed = true }
        case .transferEncoding:
            codingFields += 1
            isChunked = value.spells("chunked")
        default: break
        }
    }

    /// The framing of a request, or nil when it must be refused.
    func requestFraming(minorVersion: Int) -> BodyFraming? {
        guard !isMalformed, lengthFields + codingFields <= 1 else { return nil }
        if codingFields == 1 { return isChunked && minorVersion == 1 ? .chunked : nil }
        if let length { return .length(length) }
        return BodyFraming.none
    }

    /// The framing of a response to a request, or nil when it makes no sense. `isHead`: the request's method was HEAD.
    func responseFraming(status: Int, minorVersion: Int, isHead: Bool) -> BodyFraming? {
        guard !isMalformed, lengthFields + codingFields <= 1, codingFields == 0 || minorVersion == 1 else { return nil }
        if isHead || status < 200 || status == 204 || status == 304 { return BodyFraming.none }
        if codingFields == 1 { return isChunked ? .chunked : nil }
        if let length { return .length(length) }
        return .untilClose
    }

    /// `1*DIGIT` that fits an Int; no sign, no white space, no list.
    static func decimal(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard (1...18).contains(bytes.count) else { return nil }
        var value = 0
        for byte in bytes {
            guard byte.isDigit else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
