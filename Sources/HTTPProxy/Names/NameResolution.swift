public import NIOCore

/// How the names of a cluster's endpoints become addresses, each of which is an endpoint of its own.
public struct NameResolution: Hashable, Sendable {
    /// Which addresses of a name are used when it has both IPv4 and IPv6 ones.
    public enum Family: String, Hashable, Sendable, CaseIterable {
        /// Those of the family that the system would use first.
        case system
        case ipv4
        case ipv6
    }

    /// From the end of one lookup to the next, give or take a tenth.
    public var interval: TimeAmount = .seconds(10)
    public var family = Family.system

    public init() {}
}
