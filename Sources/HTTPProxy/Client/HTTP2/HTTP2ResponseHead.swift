import NIOCore
import NIOHPACK
import NIOHTTP1

/// Heads of responses as HTTP/2 sends them (RFC 9113 section 8.3.2): names in lower case, no reason, no field of a hop.
extension HPACKHeaders {
    /// The head of an upstream's response.
    init(_ head: ResponseHead, _ fields: ResponseFields) {
        self.init(keptOf: head, fields)
        fields.forEachAddition(to: head) { addLowercased($0, $1) }
        addOwn(fields)
    }

    /// A 1xx head.
    init(informational head: ResponseHead, _ fields: ResponseFields) {
        self.init(keptOf: head, fields)
    }

    /// The head of a local response.
    init(_ response: LocalResponse, _ fields: ResponseFields) {
        self.init()
        reserveCapacity(response.headers.count + 4)
        addStatus(Int(response.status.code))
        fields.forEach(of: response) { addLowercased($0, $1) }
        if response.hasBody { addLength(response.body.readableBytes) }
        addOwn(fields)
    }

    /// Trailer fields, from what HTTP/1 would have sent.
    init?(trailers: ByteBuffer) {
        self.init()
        var section = trailers
        section.writeStaticString("\r\n")
        var parser = HeadParser(limits: HeadLimits(maximumBytes: .max, maximumFields: .max), hasStartLine: false)
        guard case .complete = section.withUnsafeReadableBytes({ parser.parse($0) }) else { return nil }
        section.withUnsafeReadableBytes { bytes in
            for field in parser.fields { add(field, bytes) }
        }
    }

    private init(keptOf head: ResponseHead, _ fields: ResponseFields) {
        self.init()
        reserveCapacity(head.fields.count + 4)
        addStatus(head.status)
        head.bytes.withUnsafeReadableBytes { bytes in
            for field in head.fields where fields.keeps(field, of: head, bytes) { add(field, bytes) }
        }
    }

    private mutating func addStatus(_ status: Int) {
        add(name: ":status", value: String(status))
    }

    private mutating func addLength(_ length: Int) {
        add(name: "content-length", value: String(length), indexing: .nonIndexable)
    }

    private mutating func addOwn(_ fields: ResponseFields) {
        add(name: "x-request-id", value: fields.requestID, indexing: .nonIndexable)
        for field in fields.changes.responseFields { addLowercased(field.name, field.value) }
    }

    private mutating func addLowercased(_ name: String, _ value: String) {
        let name = name.lowercased()
        add(name: name, value: value, indexing: Self.indexing(name))
    }

    private mutating func add(_ field: FieldEntry, _ bytes: UnsafeRawBufferPointer) {
        let raw = bytes[part: field.name]
        let name = String(unsafeUninitializedCapacity: raw.count) { space in
            for (index, byte) in raw.enumerated() { space[index] = byte.lowercased }
            return raw.count
        }
        add(name: name, value: String(decoding: bytes[part: field.value], as: UTF8.self), indexing: Self.indexing(name))
    }

    /// What is different in each response only pushes others out of the table of both sides; and a secret in it could be guessed from lengths
    /// (RFC 7541 section 7.1).
    private static func indexing(_ name: String) -> HPACKIndexing {
        switch name {
        case "set-cookie": .neverIndexed
        case "content-length", "etag", "location", "date", "last-modified", "ratelimit": .nonIndexable
        default: .indexable
        }
    }
}
