/// A route whose responses are kept, as far as they say themselves that they are for everybody and for how long (RFC 9111). See `ResponseCache`.
public struct RouteCache: Hashable, Sendable {
    /// Responses with a longer body are passed on and not kept.
    public var maximumBodyBytes = 1 << 20

    public init() {}
}
