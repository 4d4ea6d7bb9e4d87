import NIOCore
import NIOHTTP1

/// Which fields a response has when it goes to the client, whatever version of HTTP that speaks: the upstream's but for those of its own hop, and
/// what the proxy adds.
struct ResponseFields {
    let requestID: String
    let changes: HeaderChanges
    var compression = Compression.Decision.none

    /// Whether a field of the upstream's is passed on.
    func keeps(_ field: FieldEntry, of head: ResponseHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch field.known {
        case .connection, .transferEncoding, .te, .upgrade, .hopByHop, .requestID: return false
        // A length beside a status that has no body would be read as one by somebody.
        case .contentLength: return head.status >= 200 && head.status != 204 && compression != .gzip
        default: break
        }
        let name = bytes[part: field.name]
        if changes.removesUpstreamCORS, name.hasPrefix("access-control-") { return false }
        guard head.namesFields else { return true }
        return !head.fields.contains { $0.known == .connection && bytes[part: $0.value].listContains { $0.equalsIgnoringCase(name) } }
    }

    /// How the end of the body is found once it has gone through here.
    func framing(of head: ResponseHead) -> BodyFraming {
        compression == .gzip && head.framing.hasBody ? .chunked : head.framing
    }

    /// Calls `body` with name and value of each field that is added to the upstream's.
    func forEachAddition(to head: ResponseHead, _ body: (String, String) -> Void) {
        if compression == .gzip { body("content-encoding", "gzip") }
        if compression != .none, !head.varies { body("vary", "accept-encoding") }
        for field in changes.responseDefaults where !head.hasField(field.name) { body(field.name, field.value) }
    }

    /// Calls `body` with name and value of each field of a local response, but for those that the proxy writes itself.
    func forEach(of response: LocalResponse, _ body: (String, String) -> Void) {
        for field in response.headers where Self.mayWrite(field.name, field.value) { body(field.name, field.value) }
        for field in changes.responseDefaults where !response.headers.contains(name: field.name) { body(field.name, field.value) }
    }

    private static func mayWrite(_ name: String, _ value: String) -> Bool {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken), value.utf8.allSatisfy(\.isFieldValue) else { return false }
        switch name.lowercased() {
        case "content-length", "connection", "transfer-encoding", "x-request-id": return false
        default: return true
        }
    }
}

extension LocalResponse {
    /// Whether its status allows a body (RFC 9110 section 6.4.1).
    var hasBody: Bool { status.code >= 200 && status.code != 204 && status.code != 304 }
}

extension ResponseHead {
    /// Whether it tells caches already that it depends on `Accept-Encoding`, or on everything.
    var varies: Bool {
        bytes.withUnsafeReadableBytes { raw in
            var isTold = false
            for field in fields where raw[part: field.name].spells("vary") {
                raw[part: field.value].forEachListElement { if $0.spells("accept-encoding") || $0.spells("*") { isTold = true } }
            }
            return isTold
        }
    }
}
