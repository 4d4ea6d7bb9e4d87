import NIOCore

/// The head of a request, checked, with its path in normal form. It is a view of the bytes that arrived: strings are made only
/// when asked for.
///
/// It never changes, and is a class because it goes through many hands: handing it on counts one reference, not one for each part.
public final class RequestHead: Sendable {
    /// The method, as sent: methods are case-sensitive.
    public let method: String
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    public let minorVersion: Int

    let bytes: ByteBuffer
    let fields: [FieldEntry]
    let framing: BodyFraming
    let facts: ConnectionFacts
    private let pathRange: ByteRange
    private let queryRange: ByteRange?
    private let rewrittenPath: [UInt8]?

    private init(
        method: String, minorVersion: Int, bytes: ByteBuffer, fields: [FieldEntry], framing: BodyFraming, facts: ConnectionFacts,
        pathRange: ByteRange, queryRange: ByteRange?, rewrittenPath: [UInt8]?
    ) {
        self.method = method
        self.minorVersion = minorVersion
        self.bytes = bytes
        self.fields = fields
        self.framing = framing
        self.facts = facts
        self.pathRange = pathRange
        self.queryRange = queryRange
        self.rewrittenPath = rewrittenPath
    }

    /// What the head says about the connection and the exchange, gathered in one pass over the fields.
    struct ConnectionFacts: Sendable {
        var asksClose = false
        var asksKeepAlive = false
        /// `Connection` names fields to remove beyond the ones that are always removed.
        var namesFields = false
        var acceptsTrailers = false
        /// `Expect` says something else than `100-continue`, or says it twice.
        var expectsUnknown = false
        private var expectsContinue = false
        /// `Connection` has the element `upgrade`.
        var asksUpgrade = false
        var upgrade: ByteRange?
        var upgradeFields = 0
        var host: ByteRange?
    }

    /// The path in normal form, percent-encoded, without the query.
    public var path: String { withPathBytes { String(decoding: $0, as: UTF8.self) } }

    /// The query as sent, without its question mark.
    public var query: String? {
        queryRange.map { range in bytes.withUnsafeReadableBytes { String(decoding: $0[part: range], as: UTF8.self) } }
    }

    /// The `Host` field's value.
    public var host: String? {
        facts.host.map { range in bytes.withUnsafeReadableBytes { String(decoding: $0[part: range], as: UTF8.self) } }
    }

    /// The first value of the field `name` (any case), or nil.
    public func first(_ name: String) -> String? {
        withFirst(name) { String(decoding: $0, as: UTF8.self) }
    }

    /// All values of the field `name` (any case), in order.
    public func values(_ name: String) -> [String] {
        bytes.withUnsafeReadableBytes { bytes in
            fields.filter { bytes[part: $0.name].equalsIgnoringCase(name.utf8) }.map {
                String(decoding: bytes[part: $0.value], as: UTF8.self)
            }
        }
    }

    /// Calls `body` with the bytes of the first value of the field `name`, which are valid only during the call. Makes no string, so
    /// that a policy can look up, say, a token in a cache without an allocation.
    public func withFirst<Result>(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result? {
        try bytes.withUnsafeReadableBytes { bytes in
            for field in fields where bytes[part: field.name].equalsIgnoringCase(name.utf8) {
                return try body(bytes[part: field.value])
            }
            return nil
        }
    }

    func withPathBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let rewrittenPath { return try rewrittenPath.withUnsafeBytes(body) }
        return try bytes.withUnsafeReadableBytes { try body($0[part: pathRange]) }
    }

    func withQueryBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard let queryRange else { return }
        bytes.withUnsafeReadableBytes { body($0[part: queryRange]) }
    }

    /// Whether sending the request twice has the effect of sending it once: by its method (RFC 9110 section 9.2.2), or because it has a key by
    /// which the service knows it again (draft-ietf-httpapi-idempotency-key-header).
    var isRepeatable: Bool {
        switch method {
        case "GET", "HEAD", "OPTIONS", "PUT", "DELETE": true
        default: withFirst("idempotency-key") { !$0.isEmpty } ?? false
        }
    }

    var isHead: Bool { method == "HEAD" }

    /// The one protocol that the client asks to switch to (RFC 9110 section 7.8); nil when it asks for none, for several, or has a body, after
    /// which nobody switches.
    var upgrade: String? {
        guard facts.asksUpgrade, facts.upgradeFields == 1, minorVersion == 1, !framing.hasBody, let range = facts.upgrade else {
            return nil
        }
        return bytes.withUnsafeReadableBytes { raw in
            let value = raw[part: range]
            guard !value.isEmpty, value.allSatisfy({ $0.isToken || $0 == .slash }) else { return nil }
            return String(decoding: value, as: UTF8.self)
        }
    }

    /// Whether the client expects the connection to stay open for another request.
    var keepsAlive: Bool { minorVersion == 1 ? !facts.asksClose : facts.asksKeepAlive && !facts.asksClose }
}

extension RequestHead {
    /// Checks a parsed head. `bytes` is exactly the head.
    static func read(_ bytes: ByteBuffer, fields: [FieldEntry], startLineLength: Int) -> Result<RequestHead, ProxyFailure> {
        bytes.withUnsafeReadableBytes { raw in
            guard let line = RequestLine(raw, length: startLineLength) else { return .failure(.malformedRequest) }
            guard let minorVersion = line.minorVersion else { return .failure(.versionNotSupported) }
            var facts = ConnectionFacts()
            var framing = FramingFields()
            var hosts = 0
            for field in fields {
                switch field.known {
                case .host:
                    hosts += 1
                    facts.host = field.value
                case .contentLength, .transferEncoding: framing.add(field, in: raw)
                case .connection, .te, .expect, .upgrade: facts.note(field, in: raw)
                default: break
                }
            }
            guard hosts == 1 || (hosts == 0 && minorVersion == 0) else { return .failure(.invalidHost) }
            if let host = facts.host {
                guard isValidAuthority(raw[part: host]) else { return .failure(.invalidHost) }
                if let authority = line.authority, !raw[part: authority].equalsIgnoringCase(raw[part: host]) {
                    return .failure(.invalidHost)
                }
            }
            guard let bodyFraming = framing.requestFraming(minorVersion: minorVersion) else { return .failure(.ambiguousFraming) }
            guard minorVersion == 0 || !facts.expectsUnknown else { return .failure(.expectationRefused) }
            let methodBytes = raw[part: line.method]
            // In any case of letters: a server behind that reads methods so would open a tunnel nobody here knows of.
            if methodBytes.spells("connect") || methodBytes.spells("trace") { return .failure(.methodRefused) }
            let method = String(decoding: methodBytes, as: UTF8.self)
            var rewritten: [UInt8]?
            switch PathNormalizer.normalize(raw[part: line.path]) {
            case .unchanged: break
            case .rewritten(let path): rewritten = path
            case .refused: return .failure(.invalidPath)
            }
            return .success(
                RequestHead(
                    method: method, minorVersion: minorVersion, bytes: bytes, fields: fields, framing: bodyFraming, facts: facts,
                    pathRange: line.path, queryRange: line.query, rewrittenPath: rewritten))
        }
    }

    /// `host [":" port]` without user information: names, IPv4 and bracketed IPv6 only, and a port of digits.
    static func isValidAuthority(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= 300, var end = hostLength(bytes) else { return false }
        guard end < bytes.count else { return true }
        guard bytes[end] == .colon, bytes.count - end <= 6 else { return false }
        end += 1
        while end < bytes.count, bytes[end].isDigit { end += 1 }
        return end == bytes.count
    }

    /// How long the host at the begin is; nil when there is none.
    private static func hostLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var end = 0
        guard bytes.first == 0x5B else {
            while end < bytes.count, bytes[end].isUnreserved { end += 1 }
            return end > 0 ? end : nil
        }
        end = 1
        while end < bytes.count, bytes[end].hexValue != nil || bytes[end] == .colon || bytes[end] == .dot { end += 1 }
        guard end > 2, end < bytes.count, bytes[end] == 0x5D else { return nil }
        return end + 1
    }
}

extension RequestHead.ConnectionFacts {
    fileprivate mutating func note(_ field: FieldEntry, in bytes: UnsafeRawBufferPointer) {
        let value = bytes[part: field.value]
        switch field.known {
        case .expect:
            if expectsContinue || !value.spells("100-continue") { expectsUnknown = true }
            expectsContinue = true
        case .upgrade:
            upgrade = field.value
            upgradeFields += 1
        case .te:
            value.forEachListElement { if $0.spells("trailers") { acceptsTrailers = true } }
        default:
            value.forEachListElement { element in
                if element.spells("close") {
                    asksClose = true
                } else if element.spells("keep-alive") {
                    asksKeepAlive = true
                } else if element.spells("upgrade") {
                    asksUpgrade = true
                } else {
                    namesFields = true
                }
            }
        }
    }
}
