import NIOCore

/// How the response to one request is written as HTTP/1: what the request has fixed, and what the head of the response has settled for its body.
struct HTTP1Response {
    private let isHead: Bool
    let minorVersion: Int
    /// The client wants its connection kept.
    let keepsAlive: Bool
    /// The body goes in chunks.
    private(set) var isChunked = false
    /// It is the last one on its connection, and has said so.
    private(set) var closes = false

    /// Before any request.
    init() {
        (isHead, minorVersion, keepsAlive) = (false, 1, true)
    }

    init(to head: RequestHead) {
        (isHead, minorVersion, keepsAlive) = (head.isHead, head.minorVersion, head.keepsAlive)
    }

    /// HTTP/1.0 knows no 1xx.
    func write(informational head: ResponseHead, _ fields: ResponseFields, to buffer: inout ByteBuffer) {
        guard minorVersion == 1 else { return }
        buffer.writePieces { ResponseWriter(fields: fields).write(informational: head, to: &$0) }
    }

    mutating func write(_ head: ResponseHead, _ fields: ResponseFields, wantsClose: Bool, to buffer: inout ByteBuffer) {
        let framing = ResponseFraming(isHead ? .none : fields.framing(of: head), minorVersion: minorVersion, wantsClose: wantsClose)
        isChunked = framing.isChunked
        closes = framing.closes
        buffer.writePieces { ResponseWriter(fields: fields).write(head, framing: framing, to: &$0) }
    }

    mutating func write(switching head: ResponseHead, _ fields: ResponseFields, to buffer: inout ByteBuffer) {
        closes = true
        buffer.writePieces { ResponseWriter(fields: fields).write(switching: head, to: &$0) }
    }

    mutating func write(_ response: LocalResponse, _ fields: ResponseFields, wantsClose: Bool, to buffer: inout ByteBuffer) {
        closes = wantsClose
        let framing = ResponseFraming(.none, minorVersion: minorVersion, wantsClose: wantsClose)
        buffer.writePieces { ResponseWriter(fields: fields).write(response, framing: framing, to: &$0) }
        if response.hasBody, !isHead { buffer.writeImmutableBuffer(response.body) }
    }
}
