import NIOCore

/// The address that a change is about: host and path, whatever the query, the route, the scheme and the port. What is stored for it and what is being
/// fetched for it goes when somebody has changed it (RFC 9111 section 4.4).
///
/// Other than in a key, spellings that mean the same are one target here: to forget too much costs a request, to forget too little gives what is no longer so.
struct CacheTarget: Hashable, Sendable {
    private let bytes: [UInt8]

    init(_ head: RequestHead) {
        var bytes: [UInt8] = []
        head.bytes.withUnsafeReadableBytes { raw in
            guard let host = head.facts.host else { return }
            bytes.append(contentsOf: RouteTable.withoutPort(raw[part: host]).lazy.map(\.lowercased))
        }
        head.withPathBytes { bytes.append(contentsOf: $0) }
        self.bytes = bytes
    }

    /// What it takes of memory.
    var cost: Int { bytes.count }
}
