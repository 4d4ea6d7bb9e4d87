public import NIOCore

/// A decision that is made about a request before it goes to its upstream: authentication, limits, access. Policies are listed by the
/// route and run in that order on the connection's event loop; the first that answers ends the list.
public protocol RequestPolicy: Sendable {
    /// Decides about one request. Runs on `eventLoop` and must not block; what takes time is returned as `.wait`.
    func decide(_ request: inout RequestContext, on eventLoop: any EventLoop) -> PolicyDecision
}

/// What a policy decided.
public enum PolicyDecision: Sendable {
    /// The request passes; the next policy is asked.
    case next
    /// The request passes with these changes of headers. For a decision that had to be waited for; one made at once changes
    /// the context itself.
    case nextChanging(HeaderChanges)
    /// The request passes, with these changes of headers, and is known to come from this user. For a decision that had to be waited for, too.
    case nextAs(user: String, changing: HeaderChanges = HeaderChanges())
    /// The request ends here with this response.
    case answer(LocalResponse)
    /// Not known yet. Nothing of the request is sent meanwhile; a failing future becomes a 500.
    case wait(EventLoopFuture<PolicyDecision>)
}

/// A request on its way through the policies.
public struct RequestContext: Sendable {
    public let head: RequestHead
    /// The name of the route that was chosen.
    public internal(set) var routeName: String
    /// The address of the client: the peer's, or what a trusted proxy in front says.
    public let clientAddress: String
    /// Who is signed in, as far as the policies before have found out.
    public var user: String?
    /// The id that the request has in logs and in `X-Request-Id`.
    public let requestID: String
    /// The path of a problem document's `instance`.
    public var path: String { head.path }
    /// What is to be changed in the headers of both directions.
    public var changes = HeaderChanges()
}
