/// A header field that may not be sent: its name is no token or its value holds a control byte.
public struct InvalidHeaderField: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public var description: String { "the header field \(name) has a name or value that HTTP does not allow" }
}

/// What a policy changes in the headers: in the request that goes to the upstream, and in the response that goes to the client.
public struct HeaderChanges: Sendable {
    private(set) var upstreamFields: [(name: String, value: String)] = []
    private(set) var upstreamRemovals: [String] = []
    private(set) var responseFields: [(name: String, value: String)] = []
    /// For responses that have no field of that name.
    var responseDefaults: [(name: String, value: String)] = []
    /// What the upstream says about other origins is not passed on.
    var removesUpstreamCORS = false

    public init() {}

    /// Sends the field to the upstream, in place of any of that name from the client.
    /// - Throws: `InvalidHeaderField`.
    public mutating func setUpstream(_ name: String, _ value: String) throws(InvalidHeaderField) {
        try Self.check(name, value)
        setUpstream(checked: name, value)
    }

    /// The same for a field of whose name and value the caller knows that they are allowed.
    package mutating func setUpstream(checked name: String, _ value: String) {
        removeUpstream(name)
        upstreamFields.append((name, value))
    }

    /// Does not pass the client's field of this name (any case) on to the upstream.
    public mutating func removeUpstream(_ name: String) {
        upstreamFields.removeAll { $0.name.utf8.lazy.map(\.lowercased).elementsEqual(name.utf8.lazy.map(\.lowercased)) }
        upstreamRemovals.append(name)
    }

    /// Adds the field to the response, whoever makes it.
    /// - Throws: `InvalidHeaderField`.
    public mutating func addResponse(_ name: String, _ value: String) throws(InvalidHeaderField) {
        try Self.check(name, value)
        responseFields.append((name, value))
    }

    /// Adds a field of whose name and value the caller knows that they are allowed.
    mutating func addResponse(checked name: String, _ value: String) {
        responseFields.append((name, value))
    }

    mutating func merge(_ other: HeaderChanges) {
        for name in other.upstreamRemovals { removeUpstream(name) }
        upstreamFields.append(contentsOf: other.upstreamFields)
        responseFields.append(contentsOf: other.responseFields)
        responseDefaults.append(contentsOf: other.responseDefaults)
        removesUpstreamCORS = removesUpstreamCORS || other.removesUpstreamCORS
    }

    private static func check(_ name: String, _ value: String) throws(InvalidHeaderField) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken), value.utf8.allSatisfy(\.isFieldValue) else {
            throw InvalidHeaderField(name: name)
        }
    }
}
