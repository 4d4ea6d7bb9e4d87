/// The header fields that the proxy itself reads, rewrites or removes. Recognised once, while parsing, so that nothing
/// later compares names.
enum KnownField: UInt8, Sendable {
    case other
    case host
    case connection
    case contentLength
    case transferEncoding
    case te
    case expect
    case upgrade
    case requestID
    case traceparent
    case tracestate
    case forwardedFor
    case forwardedProto
    case forwardedHost
    /// `Forwarded`, `X-Real-IP` and every other `X-Forwarded-*`: claims about the client that only a trusted proxy may make.
    case otherForwarding
    /// Fields that concern one hop only (RFC 9110 section 7.6.1) and those that would steer it: `Keep-Alive`, `Proxy-*`,
    /// `HTTP2-Settings`, `Alt-Svc`.
    case hopByHop

    @inline(__always)
    init(name: UnsafeRawBufferPointer) {
        let known = Self.recognise(name)
        self = known == .other && Self.isDisguised(name) ? .hopByHop : known
    }

    /// Whether this is `Content_Length` or the like. Servers that hand fields on as variables (CGI, WSGI) read `_` and `-` alike, so it would be believed
    /// there without having been checked here: it means nothing to the proxy, and is not passed on.
    private static func isDisguised(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.contains(0x5F) else { return false }
        return withUnsafeTemporaryAllocation(byteCount: name.count, alignment: 1) { plain in
            for (index, byte) in name.enumerated() { plain[index] = byte == 0x5F ? .hyphen : byte }
            return recognise(UnsafeRawBufferPointer(plain)) != .other
        }
    }

    private static func recognise(_ name: UnsafeRawBufferPointer) -> KnownField {
        switch name.count {
        case 2: if name.spells("te") { return .te }
        case 4: if name.spells("host") { return .host }
        case 6: if name.spells("expect") { return .expect }
        case 7:
            if name.spells("upgrade") { return .upgrade }
            if name.spells("alt-svc") { return .hopByHop }
        case 9:
            if name.spells("forwarded") || name.spells("x-real-ip") { return .otherForwarding }
        case 10:
            if name.spells("connection") { return .connection }
            if name.spells("keep-alive") { return .hopByHop }
            if name.spells("tracestate") { return .tracestate }
        case 11: if name.spells("traceparent") { return .traceparent }
        case 12: if name.spells("x-request-id") { return .requestID }
        case 14:
            if name.spells("content-length") { return .contentLength }
            if name.spells("http2-settings") { return .hopByHop }
        case 15: if name.spells("x-forwarded-for") { return .forwardedFor }
        case 16: if name.spells("x-forwarded-host") { return .forwardedHost }
        case 17:
            if name.spells("transfer-encoding") { return .transferEncoding }
            if name.spells("x-forwarded-proto") { return .forwardedProto }
        default: break
        }
        if name.count > 6, name[0].lowercased == 0x70, name.hasPrefix("proxy-") { return .hopByHop }
        if name.count > 12, name[0].lowercased == 0x78, name.hasPrefix("x-forwarded-") { return .otherForwarding }
        return .other
    }
}
