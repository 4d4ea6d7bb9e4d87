import NIOCore

/// A whole response that is kept to be given again. It never changes.
final class StoredResponse: Sendable {
    /// The upstream's, without the fields of its hop and without `Age`, and with the length of the body.
    let head: ResponseHead
    let body: ByteBuffer
    let variant: Variant
    let freshness: Freshness

    /// Nil when the head cannot be written down, which no head that has been read is the reason for.
    init?(_ received: ResponseHead, body: ByteBuffer, variant: Variant, freshness: Freshness, unixSeconds: Int64) {
        let hasDate = received.has("date")
        let fields = ResponseFields(requestID: "", changes: HeaderChanges())
        let written = ResponseHead.written(received.statusLine) { cursor in
            received.bytes.withUnsafeReadableBytes { raw in
                for field in received.fields where field.known != .contentLength && fields.keeps(field, of: received, raw) {
                    guard !raw[part: field.name].spells("age") else { continue }
                    cursor.write(raw[part: field.line])
                }
            }
            // Whoever keeps a response without a date says when it came (RFC 9110 section 6.6.1).
            if !hasDate { cursor.writeField("date", HTTPDate.text(unixSeconds)) }
            cursor.writeField("content-length", String(body.readableBytes))
        }
        guard let written else { return nil }
        head = written
        self.body = body
        self.variant = variant
        self.freshness = freshness
    }

    /// What it takes of memory, besides the key.
    var cost: Int {
        head.bytes.storageCapacity + head.fields.count * MemoryLayout<FieldEntry>.stride + body.storageCapacity + variant.values.count
            + variant.names.reduce(0) { $0 + $1.utf8.count + MemoryLayout<String>.stride } + Self.overhead
    }

    /// The objects themselves and their places in the tables, about.
    private static let overhead = 512

    // MARK: Conditions

    /// Whether the client has it already (RFC 9110 section 13.2.2): then a 304 without the body is what it gets.
    func isKnown(to request: RequestHead) -> Bool {
        var (hasTags, matches) = (false, false)
        request.forEachValue(of: "if-none-match") { list in
            hasTags = true
            if list.spells("*") { matches = true }
            EntityTags.forEach(in: list) { tag in
                if head.onlyValue(of: "etag", { EntityTags.areSame($0, tag) }) ?? false { matches = true }
            }
        }
        guard !hasTags else { return matches }
        guard let since = request.onlyValue(of: "if-modified-since", HTTPDate.seconds),
            let modified = head.onlyValue(of: "last-modified", HTTPDate.seconds)
        else { return false }
        return modified <= since
    }

    /// The head of a 304 in its place: without what describes the body (RFC 9110 section 15.4.5).
    var notModified: ResponseHead? {
        ResponseHead.written("304 Not Modified") { cursor in
            head.bytes.withUnsafeReadableBytes { raw in
                for field in head.fields where !Self.describesBody(raw[part: field.name]) { cursor.write(raw[part: field.line]) }
            }
        }
    }

    private static func describesBody(_ name: UnsafeRawBufferPointer) -> Bool {
        if name.spells("last-modified") { return true }
        return name.hasPrefix("content-") && !name.spells("content-location") && !name.hasPrefix("content-security-policy")
    }
}

/// Entity tags as they stand in lists (RFC 9110 section 8.8.3). Commas may be in them.
enum EntityTags {
    static func forEach(in list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var index = 0
        while index < list.count {
            let start = index
            if list[part: ByteRange(start: index, end: list.count)].hasPrefix("w/") { index += 2 }
            guard index < list.count, list[index] == quote, let end = list[(index + 1)...].firstIndex(of: quote) else {
                index = start + 1
                continue
            }
            body(list[part: ByteRange(start: start, end: end + 1)])
            index = end + 1
        }
    }

    /// By the weak comparison: whether a tag is weak makes no difference.
    static func areSame(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        one.drop { $0 != quote }.elementsEqual(other.drop { $0 != quote })
    }

    private static let quote: UInt8 = 0x22
}

extension ResponseHead {
    /// Status code and reason.
    var statusLine: String { bytes.withUnsafeReadableBytes { String(decoding: $0[part: statusRange], as: UTF8.self) } }

    /// A head with this status line and these fields, as one that had come from an upstream.
    static func written(_ statusLine: String, _ fields: (inout ByteCursor) -> Void) -> ResponseHead? {
        var buffer = ByteBuffer()
        buffer.writePieces { cursor in
            cursor.write(literal: "HTTP/1.1 ")
            cursor.write(statusLine)
            cursor.write(literal: "\r\n")
            fields(&cursor)
            cursor.write(literal: "\r\n")
        }
        var parser = HeadParser(limits: HeadLimits(maximumBytes: .max, maximumFields: .max))
        guard case .complete = buffer.withUnsafeReadableBytes({ parser.parse($0) }) else { return nil }
        return ResponseHead.read(buffer, fields: parser.fields, startLineLength: parser.startLineLength, isHead: false)
    }
}
