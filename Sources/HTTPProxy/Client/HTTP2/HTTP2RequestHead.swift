import NIOCore
import NIOHPACK

// A request of HTTP/2, rewritten as HTTP/1.1.
//
// Everything behind the client's side knows one kind of head: bytes with the places of the fields in them. So the fields that HPACK has decoded
// are written down as HTTP/1.1 would have sent them (RFC 9113 section 8.3), and the result goes through the same checks of host, path and framing.
// Requests that come in by HTTP/2 and leave by HTTP/1.1 have been smuggled apart where this translation was careless: with line breaks in values,
// with a second host, with fields that mean something on one side only. So every byte is checked against the grammar of HTTP/1.1 before it is
// written, whatever the library below has checked already, and the fields of a hop, which HTTP/2 has no use for, are refused, not dropped.

/// Writes the fields of one HTTP/2 request as a head of HTTP/1.1.
struct HTTP2RequestHead {
    private var bytes: ByteBuffer
    private var fields: [FieldEntry] = []
    private var authority: String?
    private var hasHost = false
    private var cookies: [String] = []

    /// - Parameter hasBody: the stream did not end with the fields.
    static func read(_ headers: HPACKHeaders, hasBody: Bool, limits: HeadLimits, allocator: ByteBufferAllocator) -> Result<
        RequestHead, ProxyFailure
    > {
        var head = HTTP2RequestHead(bytes: allocator.buffer(capacity: 512))
        head.fields.reserveCapacity(headers.count + 1)
        do throws(ProxyFailure) {
            let lineLength = try head.writeLine(headers)
            for field in headers where !field.name.hasPrefix(":") { try head.add(field.name, field.value) }
            try head.finish(hasBody: hasBody)
            guard head.bytes.readableBytes <= limits.maximumBytes, head.fields.count <= limits.maximumFields else {
                throw ProxyFailure.headTooLarge
            }
            return RequestHead.read(head.bytes, fields: head.fields, startLineLength: lineLength)
        } catch {
            return .failure(error)
        }
    }

    /// - Returns: the line's length without its end.
    private mutating func writeLine(_ headers: HPACKHeaders) throws(ProxyFailure) -> Int {
        var (method, scheme, path): (String?, String?, String?)
        for field in headers where field.name.hasPrefix(":") {
            switch field.name {
            case ":method" where method == nil: method = field.value
            case ":scheme" where scheme == nil: scheme = field.value
            case ":path" where path == nil: path = field.value
            case ":authority" where authority == nil: authority = field.value
            default: throw ProxyFailure.malformedRequest
            }
        }
        guard let method, let scheme, let path, scheme == "http" || scheme == "https" else { throw ProxyFailure.malformedRequest }
        // What `RequestLine` would take apart differently is caught here: a space in the method or the path, a path that is an address.
        guard method.utf8.allSatisfy(\.isToken), path.utf8.first == .slash, path.utf8.allSatisfy(\.isVisible) else {
            throw ProxyFailure.malformedRequest
        }
        bytes.writeString(method)
        bytes.writeInteger(UInt8.space)
        bytes.writeString(path)
        bytes.writeStaticString(" HTTP/1.1")
        let length = bytes.readableBytes
        bytes.writeStaticString("\r\n")
        if let authority { try write("host", authority) }
        return length
    }

    private mutating func add(_ name: String, _ value: String) throws(ProxyFailure) {
        switch name {
        case "host":
            // The same once more is allowed (RFC 9113 section 8.3.1). Without `:authority` it stands for it. More than one is none (RFC 9112 section 3.2).
            guard !hasHost, authority == nil || value == authority else { throw ProxyFailure.invalidHost }
            hasHost = true
            if authority == nil { try write(name, value) }
        // They may come in pieces, so as to be compressed better (RFC 9113 section 8.2.3).
        case "cookie": cookies.append(value)
        case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": throw ProxyFailure.malformedRequest
        default: try write(name, value)
        }
    }

    private mutating func finish(hasBody: Bool) throws(ProxyFailure) {
        if !cookies.isEmpty { try write("cookie", cookies.joined(separator: "; ")) }
        // A body without a length ends with the stream; towards the upstream it has to say where it ends.
        if hasBody, !fields.contains(where: { $0.known == .contentLength }) { try write("transfer-encoding", "chunked") }
        bytes.writeStaticString("\r\n")
    }

    private mutating func write(_ name: String, _ value: String) throws(ProxyFailure) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken), value.utf8.allSatisfy(\.isFieldValue) else {
            throw ProxyFailure.malformedRequest
        }
        let start = bytes.writerIndex
        bytes.writeString(name)
        let nameRange = ByteRange(start: start, end: bytes.writerIndex)
        bytes.writeStaticString(": ")
        var valueRange = ByteRange(start: bytes.writerIndex, end: bytes.writerIndex + value.utf8.count)
        bytes.writeString(value)
        bytes.writeStaticString("\r\n")
        let line = ByteRange(start: start, end: bytes.writerIndex)
        let known = bytes.withUnsafeReadableBytes { raw in
            valueRange.trim(in: raw)
            return KnownField(name: raw[part: nameRange])
        }
        fields.append(FieldEntry(name: nameRange, value: valueRange, line: line, known: known))
    }

    private init(bytes: ByteBuffer) {
        self.bytes = bytes
    }
}
