import NIOCore

/// A request as the upstream gets it: what the client has sent, and what the gateway makes of it.
struct SentRequest {
    let head: RequestHead
    let route: CompiledRoute
    let cluster: String
    let scheme: Scheme
    /// What it says about host and scheme is passed on.
    let isTrusted: Bool
    let changes: HeaderChanges
    let snapshot: ProxySnapshot

    /// What the upstream gets in the fields of these names, which are in lower case.
    func variant(by names: [String]) -> Variant {
        guard !names.isEmpty else { return .only }
        var values: [UInt8] = []
        head.bytes.withUnsafeReadableBytes { raw in
            for name in names {
                values.append(.carriageReturn)
                if isWithheld(name) { continue }
                for field in head.fields where raw[part: field.name].equalsIgnoringCase(name.utf8) {
                    values.append(contentsOf: raw[part: field.value])
                    values.append(.lineFeed)
                }
            }
        }
        return Variant(names: names, values: values)
    }

    /// Whether the client's own field of this name does not reach the upstream. What policies send in its place is in the key.
    private func isWithheld(_ name: String) -> Bool {
        let isReserved = Array(name.utf8).withUnsafeBytes { snapshot.isReserved($0) }
        return isReserved || changes.upstreamRemovals.contains { $0.lowercased() == name }
    }
}

/// The part of a request on which a response depends besides its key: the fields that `Vary` names, and what the request says in them
/// (RFC 9111 section 4.1). Values are compared to the letter.
struct Variant: Hashable, Sendable {
    /// In lower case, in order, each once.
    let names: [String]
    /// Of each name in order, with bytes between them that no value holds.
    let values: [UInt8]

    /// A response without `Vary`.
    static let only = Variant(names: [], values: [])
}
