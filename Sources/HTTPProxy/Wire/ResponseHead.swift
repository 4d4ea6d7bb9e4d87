import NIOCore

/// The head of an upstream's response, checked; a view of the bytes that arrived. A class for the reason that `RequestHead` is one.
final class ResponseHead: Sendable {
    let status: Int
    let minorVersion: Int
    let bytes: ByteBuffer
    let fields: [FieldEntry]
    let framing: BodyFraming
    /// The upstream will take another request on this connection once this response has ended.
    let keepsAlive: Bool
    /// `Connection` names fields to remove beyond the ones that are always removed.
    let namesFields: Bool
    /// Status code and reason, from the status line.
    let statusRange: ByteRange

    private init(
        status: Int, minorVersion: Int, bytes: ByteBuffer, fields: [FieldEntry], framing: BodyFraming, keepsAlive: Bool, namesFields: Bool,
        statusRange: ByteRange
    ) {
        self.status = status
        self.minorVersion = minorVersion
        self.bytes = bytes
        self.fields = fields
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.namesFields = namesFields
        self.statusRange = statusRange
    }

    /// 1xx: another head follows.
    var isInformational: Bool { status < 200 }

    /// Whether there is a field of this name, given in lower case.
    func has(_ name: StaticString) -> Bool {
        bytes.withUnsafeReadableBytes { raw in fields.contains { raw[part: $0.name].spells(name) } }
    }

    /// Whether there is a field of this name, in any case.
    func hasField(_ name: String) -> Bool {
        bytes.withUnsafeReadableBytes { raw in fields.contains { raw[part: $0.name].equalsIgnoringCase(name.utf8) } }
    }

    /// Nil when the head is not a response this proxy may pass on.
    static func read(_ bytes: ByteBuffer, fields: [FieldEntry], startLineLength: Int, isHead: Bool) -> ResponseHead? {
        bytes.withUnsafeReadableBytes { raw in
            let line = raw[part: ByteRange(start: 0, end: startLineLength)]
            guard let (status, minorVersion) = statusLine(line) else { return nil }
            var framing = FramingFields()
            var close = false
            var keepAlive = false
            var namesFields = false
            for field in fields {
                switch field.known {
                case .contentLength, .transferEncoding: framing.add(field, in: raw)
                case .connection:
                    raw[part: field.value].forEachListElement { element in
                        if element.spells("close") {
                            close = true
                        } else if element.spells("keep-alive") {
                            keepAlive = true
                        } else {
                            namesFields = true
                        }
                    }
                default: break
                }
            }
            guard let bodyFraming = framing.responseFraming(status: status, minorVersion: minorVersion, isHead: isHead) else { return nil }
            let persistent = minorVersion == 1 ? !close : keepAlive && !close
            return ResponseHead(
                status: status, minorVersion: minorVersion, bytes: bytes, fields: fields, framing: bodyFraming,
                keepsAlive: persistent && bodyFraming != .untilClose, namesFields: namesFields,
                statusRange: ByteRange(start: 9, end: startLineLength))
        }
    }

    /// `HTTP-version SP status-code [SP reason-phrase]` (RFC 9112 section 4).
    private static func statusLine(_ line: UnsafeRawBufferPointer) -> (status: Int, minorVersion: Int)? {
        guard line.count >= 12, line[0] == 0x48, line[1] == 0x54, line[2] == 0x54, line[3] == 0x50, line[4] == .slash, line[5] == 0x31,
            line[6] == .dot, line[7] == 0x30 || line[7] == 0x31, line[8] == .space,
            let status = FramingFields.decimal(UnsafeRawBufferPointer(rebasing: line[9..<12])), (100...999).contains(status),
            line.count == 12 || line[12] == .space, line[9...].allSatisfy(\.isFieldValue)
        else { return nil }
        return (status, Int(line[7] - 0x30))
    }
}
