import NIOCore

/// How a client reached the proxy.
enum Scheme: String, Sendable {
    case http, https
}

/// Who sent a request, and the names it goes by from here on.
struct Caller {
    let identity: RequestIdentity
    /// The address of the client itself, behind whatever trusted proxies there are.
    let clientAddress: String
    let isTrusted: Bool

    private static let maximumRequestIDLength = 128

    /// - Parameters:
    ///   - peer: the address of whoever opened the connection.
    ///   - scheme: how the peer reached us.
    ///   - isTrusted: the peer is a trusted proxy, so that its `X-Forwarded-For` and trace are believed.
    init(head: RequestHead, peer: String, scheme: Scheme, isTrusted: Bool, snapshot: ProxySnapshot, identifiers: inout IdentifierGenerator)
    {
        self.isTrusted = isTrusted
        let requestID = Self.requestID(head) ?? identifiers.nextRequestID()
        guard isTrusted else {
            clientAddress = peer
            identity = RequestIdentity(
                requestID: requestID, forwardedFor: peer, scheme: scheme, trace: TraceContext(startedBy: &identifiers))
            return
        }
        let chain = Self.forwardedFor(head)
        // The last one that no trusted proxy vouches for; everything before it, the client may have made up.
        clientAddress = chain.last { !snapshot.isTrusted($0) && AddressRange.addressBytes($0) != nil } ?? peer
        let trace = head.withFirst("traceparent") { TraceContext($0) } ?? nil
        identity = RequestIdentity(
            requestID: requestID, forwardedFor: (chain + [peer]).joined(separator: ", "), scheme: scheme,
            trace: trace ?? TraceContext(startedBy: &identifiers))
    }

    /// The client's own id, if it is one that can stand in a log line as it is.
    private static func requestID(_ head: RequestHead) -> String? {
        guard let field = head.fields.first(where: { $0.known == .requestID }) else { return nil }
        return head.bytes.withUnsafeReadableBytes { bytes in
            let value = bytes[part: field.value]
            guard (1...maximumRequestIDLength).contains(value.count), value.allSatisfy({ $0.isUnreserved }) else { return nil }
            return String(decoding: value, as: UTF8.self)
        }
    }

    /// The elements of all `X-Forwarded-For` fields, in order.
    private static func forwardedFor(_ head: RequestHead) -> [String] {
        var chain: [String] = []
        head.bytes.withUnsafeReadableBytes { bytes in
            for field in head.fields where field.known == .forwardedFor {
                bytes[part: field.value].forEachListElement { chain.append(String(decoding: $0, as: UTF8.self)) }
            }
        }
        return chain
    }
}
