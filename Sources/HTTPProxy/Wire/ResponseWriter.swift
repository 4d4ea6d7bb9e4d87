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

    func write(_ head: ResponseHead, framing: ResponseFraming, to cursor: inout ByteCursor) {
        head.bytes.withUnsafeReadableBytes { bytes in
            cursor.write(literal: "HTTP/1.1 ")
            cursor.write(bytes[part: head.statusRange])
            if head.statusRange.count == 3 { cursor.write(literal: " ") }
            cursor.write(literal: "\r\n")
            var run: ByteRange?
            for field in head.fields {
                guard fields.keeps(field, of: head, bytes) else { continue }
                if let open = run, open.end == field.line.start {
                    run = ByteRange(start: open.start, end: field.line.end)
                } else {
                    if let open = run { cursor.write(bytes[part: open]) }
                    run = field.line
                }
            }
            if let open = run { cursor.write(bytes[part: open]) }
        }
        if framing.isChunked { cursor.write(literal: "transfer-encoding: chunked\r\n") }
        fields.forEachAddition(to: head) { cursor.writeField($0, $1) }
        finish(framing, to: &cursor)
    }

    /// A 1xx head, passed on as it is but for the fields of the upstream's hop.
    func write(informational head: ResponseHead, to cursor: inout ByteCursor) {
        writeKept(of: head, to: &cursor)
        cursor.write(literal: "\r\n")
    }

    /// The head of a 101, after which nothing is HTTP any more.
    func write(switching head: ResponseHead, to cursor: inout ByteCursor) {
        writeKept(of: head, to: &cursor)
        head.bytes.withUnsafeReadableBytes { bytes in
            for field in head.fields where field.known == .upgrade { cursor.write(bytes[part: field.line]) }
        }
        cursor.write(literal: "connection: upgrade\r\n")
        finish(ResponseFraming(.none, minorVersion: 1, wantsClose: false), to: &cursor)
    }

    private func writeKept(of head: ResponseHead, to cursor: inout ByteCursor) {
        head.bytes.withUnsafeReadableBytes { bytes in
            cursor.write(literal: "HTTP/1.1 ")
            cursor.write(bytes[part: head.statusRange])
            cursor.write(literal: "\r\n")
            for field in head.fields where fields.keeps(field, of: head, bytes) { cursor.write(bytes[part: field.line]) }
        }
    }

    /// The head of a local response.
    func write(_ response: LocalResponse, framing: ResponseFraming, to cursor: inout ByteCursor) {
        cursor.write(literal: "HTTP/1.1 ")
        cursor.writeDecimal(Int(response.status.code))
        cursor.write(UInt8.space)
        cursor.write(response.status.reasonPhrase)
        cursor.write(literal: "\r\n")
        fields.forEach(of: response) { cursor.writeField($0, $1) }
        if response.hasBody {
            cursor.write(literal: "content-length: ")
            cursor.writeDecimal(response.body.readableBytes)
            cursor.write(literal: "\r\n")
        }
        finish(framing, to: &cursor)
    }

    private func finish(_ framing: ResponseFraming, to cursor: inout ByteCursor) {
        cursor.write(literal: "x-request-id: ")
        cursor.write(fields.requestID)
        cursor.write(literal: "\r\n")
        for field in fields.changes.responseFields { cursor.writeField(field.name, field.value) }
        if framing.closes { cursor.write(literal: "connection: close\r\n") }
        if framing.saysKeepAlive { cursor.write(literal: "connection: keep-alive\r\n") }
        cursor.write(literal: "\r\n")
    }
}
