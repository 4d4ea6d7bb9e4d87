import NIOCore

// What a response is found by.
//
// Whoever can make the upstream give another answer than the key tells of can have that answer given to others (cache poisoning). So the key is what
// the gateway tells the upstream, to the letter: route and cluster, scheme and host as they are sent on, path and query as they are sent on, and the fields that
// policies have set, such as who asks. Spellings that mean the same, such as `SHOP.example` and `shop.example:80`, are entries of their own: that costs a
// little memory, whereas a key that makes more things equal than the service does gives the answer to the odd spelling to everybody.
//
// What else the client says goes to the upstream and is not in the key; of that the response tells by `Vary` (`Variant`). Fields that some frameworks
// take for the path or the method are known, and a request with one of them has no part in the cache (`CacheRequest`).
//
// Not in the key, though the gateway sends it, is what is different for every request and so never the reason of an answer that says it is for all:
// its id, its trace and where it comes from.

/// Finds the responses to one request, whatever `Vary` says.
struct ResponseKey: Hashable, Sendable {
    /// A longer one is not worth its memory.
    static let maximumBytes = 8 * 1024

    private(set) var bytes: [UInt8] = []
    /// Keyed by a secret of the process (`Hasher`), so that nobody can choose keys that collide.
    private(set) var hash = 0

    /// Nil when it would be too long, or the request names no host.
    init?(_ sent: SentRequest) {
        guard let host = sent.head.facts.host else { return nil }
        bytes.reserveCapacity(256)
        append(sent.route.route.name.utf8)
        append(sent.cluster.utf8)
        sent.head.bytes.withUnsafeReadableBytes { raw in
            append(raw[part: host])
            append(sent.scheme.rawValue.utf8)
            appendForwarded(.forwardedProto, of: sent, raw)
            appendForwarded(.forwardedHost, of: sent, raw)
        }
        sent.head.withPathBytes { path in
            append(path)
            var rewritten = ByteBuffer()
            if let rewrite = sent.route.rewrite { rewritten.writePieces { rewrite.write(path, to: &$0) } }
            append(rewritten.readableBytesView)
        }
        sent.head.withQueryBytes { append($0) }
        for field in sent.changes.upstreamFields {
            append(field.name.utf8)
            append(field.value.utf8)
        }
        guard bytes.count <= Self.maximumBytes else { return nil }
        hash = bytes.hashValue
    }

    /// What a trusted proxy says is sent on as it is; else the gateway says it itself, of what is in the key already.
    private mutating func appendForwarded(_ known: KnownField, of sent: SentRequest, _ raw: UnsafeRawBufferPointer) {
        let told = sent.isTrusted ? sent.head.fields.filter { $0.known == known } : []
        append(CollectionOfOne(UInt8(truncatingIfNeeded: told.count)))
        for field in told { append(raw[part: field.value]) }
    }

    /// With its length before it, so that no two lists of parts are the same bytes.
    private mutating func append(_ part: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.count)) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: part)
    }

    static func == (one: Self, other: Self) -> Bool { one.hash == other.hash && one.bytes == other.bytes }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
