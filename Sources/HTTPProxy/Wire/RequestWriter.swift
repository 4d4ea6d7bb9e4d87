import NIOCore

/// What the proxy itself puts into the head of a forwarded request.
struct RequestIdentity {
    let requestID: String
    /// The value of `X-Forwarded-For`, the peer's address last.
    let forwardedFor: String
    let scheme: Scheme
    let trace: TraceContext
}

/// Writes the head that goes to the upstream: the client's fields but for those of its own hop, those the proxy sets, and those that nobody
/// outside may set. Untouched fields are copied as they stand, neighbours in one piece.
struct RequestWriter {
    let head: RequestHead
    let snapshot: ProxySnapshot
    let changes: HeaderChanges
    /// Whoever sent this is a trusted proxy: what it says about host, scheme and trace is passed on.
    let isTrusted: Bool
    /// What the route makes of the path; nil: nothing.
    let rewrite: PathRewrite?
    /// The protocol that the route lets the client ask for.
    let switchesTo: String?

    func write(_ identity: RequestIdentity, fallbackHost: Endpoint, to cursor: inout ByteCursor) {
        writeLine(to: &cursor)
        head.bytes.withUnsafeReadableBytes { bytes in
            var run: ByteRange?
            for field in head.fields {
                guard keeps(field, bytes) else { continue }
                if let open = run, open.end == field.line.start {
                    run = ByteRange(start: open.start, end: field.line.end)
                } else {
                    if let open = run { cursor.write(bytes[part: open]) }
                    run = field.line
                }
            }
            if let open = run { cursor.write(bytes[part: open]) }
        }
        if head.facts.host == nil { cursor.writeField("host", fallbackHost.authority) }
        if head.framing == .chunked { cursor.write(literal: "transfer-encoding: chunked\r\n") }
        if let switchesTo {
            cursor.write(literal: "connection: upgrade\r\n")
            cursor.writeField("upgrade", switchesTo)
        } else if head.facts.acceptsTrailers {
            cursor.write(literal: "te: trailers\r\nconnection: te\r\n")
        }
        write(identity, to: &cursor)
        for field in changes.upstreamFields { cursor.writeField(field.name, field.value) }
        cursor.write(literal: "\r\n")
    }

    private func writeLine(to cursor: inout ByteCursor) {
        cursor.write(head.method)
        cursor.write(UInt8.space)
        head.withPathBytes { path in
            if let rewrite { rewrite.write(path, to: &cursor) } else { cursor.write(path) }
        }
        head.withQueryBytes { query in
            cursor.write(UInt8.questionMark)
            cursor.write(query)
        }
        cursor.write(literal: " HTTP/1.1\r\n")
    }

    private func write(_ identity: RequestIdentity, to cursor: inout ByteCursor) {
        cursor.write(literal: "x-forwarded-for: ")
        cursor.write(identity.forwardedFor)
        if !(isTrusted && has(.forwardedProto)) {
            cursor.write(literal: identity.scheme == .https ? "\r\nx-forwarded-proto: https" : "\r\nx-forwarded-proto: http")
        }
        if let host = head.facts.host, !(isTrusted && has(.forwardedHost)) {
            cursor.write(literal: "\r\nx-forwarded-host: ")
            head.bytes.withUnsafeReadableBytes { cursor.write($0[part: host]) }
        }
        cursor.write(literal: "\r\nx-request-id: ")
        cursor.write(identity.requestID)
        cursor.write(literal: "\r\ntraceparent: ")
        identity.trace.write(to: &cursor)
        cursor.write(literal: "\r\n")
    }

    private func has(_ known: KnownField) -> Bool {
        head.fields.contains { $0.known == known }
    }

    private func keeps(_ field: FieldEntry, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch field.known {
        case .host, .contentLength: return true
        // HTTP/1.0 knows no expectations (RFC 9110 section 10.1.1).
        case .expect: return head.minorVersion == 1
        case .forwardedProto, .forwardedHost: return isTrusted
        case .tracestate: return keepsTraceState(field)
        case .other: break
        default: return false
        }
        let name = bytes[part: field.name]
        if !snapshot.reservedPrefixes.isEmpty, snapshot.isReserved(name) { return false }
        if head.facts.namesFields, isNamedByConnection(name, bytes) { return false }
        return !changes.upstreamRemovals.contains { name.equalsIgnoringCase($0.utf8) }
    }

    /// `tracestate` goes with a trace that is continued; W3C asks to pass on up to 512 characters.
    private func keepsTraceState(_ field: FieldEntry) -> Bool {
        isTrusted && field.value.count <= 512
    }

    private func isNamedByConnection(_ name: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) -> Bool {
        head.fields.contains { $0.known == .connection && bytes[part: $0.value].listContains { $0.equalsIgnoringCase(name) } }
    }
}
