import NIOCore
import NIOHTTP1

/// How the body of a response goes to the client, and what becomes of the connection after it.
struct ResponseFraming {
    /// The client reads chunks.
    let isChunked: Bool
    let closes: Bool
    /// The client speaks HTTP/1.0 and must be told that the connection stays open.
    let saysKeepAlive: Bool

    /// - Parameters:
    ///   - wantsClose: the client or the proxy wants the connection closed after this response.
    init(_ framing: BodyFraming, minorVersion: Int, wantsClose: Bool) {
        let isOpenEnded = framing == .chunked || framing == .untilClose
        isChunked = isOpenEnded && minorVersion == 1
        closes = wantsClose || (isOpenEnded && minorVersion == 0)
        saysKeepAlive = minorVersion == 0 && !closes
    }
}

/// Writes the heads that go to a client of HTTP/1.
struct ResponseWriter {
    let fields: ResponseFields

    func write(_ head: ResponseHead, framing: ResponseFraming, to buffer: inout ByteBuffer) {
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeBytes(bytes[part: head.statusRange])
            if head.statusRange.count == 3 { buffer.writeStaticString(" ") }
            buffer.writeStaticString("\r\n")
            var run: ByteRange?
            for field in head.fields {
                guard fields.keeps(field, of: head, bytes) else { continue }
                if let open = run, open.end == field.line.start {
                    run = ByteRange(start: open.start, end: field.line.end)
                } else {
                    if let open = run { buffer.writeBytes(bytes[part: open]) }
                    run = field.line
                }
            }
            if let open = run { buffer.writeBytes(bytes[part: open]) }
        }
        if framing.isChunked { buffer.writeStaticString("transfer-encoding: chunked\r\n") }
        fields.forEachAddition(to: head) { buffer.writeField($0, $1) }
        finish(framing, to: &buffer)
    }

    /// A 1xx head, passed on as it is but for the fields of the upstream's hop.
    func write(informational head: ResponseHead, to buffer: inout ByteBuffer) {
        writeKept(of: head, to: &buffer)
        buffer.writeStaticString("\r\n")
    }

    /// The head of a 101, after which nothing is HTTP any more.
    func write(switching head: ResponseHead, to buffer: inout ByteBuffer) {
        writeKept(of: head, to: &buffer)
        head.bytes.withUnsafeReadableBytes { bytes in
            for field in head.fields where field.known == .upgrade { buffer.writeBytes(bytes[part: field.line]) }
        }
        buffer.writeStaticString("connection: upgrade\r\n")
        finish(ResponseFraming(.none, minorVersion: 1, wantsClose: false), to: &buffer)
    }

    private func writeKept(of head: ResponseHead, to buffer: inout ByteBuffer) {
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeBytes(bytes[part: head.statusRange])
            buffer.writeStaticString("\r\n")
            for field in head.fields where fields.keeps(field, of: head, bytes) { buffer.writeBytes(bytes[part: field.line]) }
        }
    }

    /// A local response, with its body unless `isHead`.
    func write(_ response: LocalResponse, isHead: Bool, closes: Bool, minorVersion: Int, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeDecimal(Int(response.status.code))
        buffer.writeInteger(UInt8.space)
        buffer.writeString(response.status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        fields.forEach(of: response) { buffer.writeField($0, $1) }
        if response.hasBody {
            buffer.writeStaticString("content-length: ")
            buffer.writeDecimal(response.body.readableBytes)
            buffer.writeStaticString("\r\n")
        }
        finish(ResponseFraming(.none, minorVersion: minorVersion, wantsClose: closes), to: &buffer)
        if response.hasBody, !isHead { buffer.writeImmutableBuffer(response.body) }
    }

    private func finish(_ framing: ResponseFraming, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("x-request-id: ")
        buffer.writeString(fields.requestID)
        buffer.writeStaticString("\r\n")
        for field in fields.changes.responseFields { buffer.writeField(field.name, field.value) }
        if framing.closes { buffer.writeStaticString("connection: close\r\n") }
        if framing.saysKeepAlive { buffer.writeStaticString("connection: keep-alive\r\n") }
        buffer.writeStaticString("\r\n")
    }
}
