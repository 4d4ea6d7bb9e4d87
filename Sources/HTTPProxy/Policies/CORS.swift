public import NIOCore
import NIOHTTP1

// Cross-origin requests (Fetch Standard, section 3.3). A browser lets a page of another origin see an answer only when the answer says so, and asks
// beforehand (by OPTIONS, a preflight) about requests that a plain form could not send. It is the browser that enforces this, to protect
// its user; a server that is asked by anything else gains nothing. So a request from an origin that is not named is served like any other, just
// without the fields that would let the page see the answer.

/// Which pages of other origins may use a route. The proxy answers preflights itself, before any policy, and what the upstream says about other origins
/// is not passed on.
public struct CORS: Hashable, Sendable {
    /// Such as `https://shop.example`; `*` stands for all.
    public var origins: Set<String>
    public var methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    /// The request fields that a page may set.
    public var headers = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"]
    /// The response fields that a page may read, beyond the few that it always may.
    public var exposedHeaders = ["ETag", "Link", "Location", "Retry-After", "X-Request-Id"]
    /// Whether the browser may send cookies along. Not with `*`.
    public var allowsCredentials = false
    /// How long a browser may remember the answer to a preflight.
    public var maximumAge: TimeAmount = .seconds(600)

    public init(origins: Set<String>) {
        self.origins = origins
    }

    func allows(_ origin: String) -> Bool { origins.contains("*") || origins.contains(origin) }

    /// The answer to a preflight.
    func preflight(from origin: String) -> LocalResponse {
        var headers: HTTPHeaders = ["vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"]
        guard allows(origin) else { return LocalResponse(status: .noContent, headers: headers) }
        for field in fields(for: origin) { headers.add(name: field.name, value: field.value) }
        headers.add(name: "access-control-allow-methods", value: methods.joined(separator: ", "))
        headers.add(name: "access-control-allow-headers", value: self.headers.joined(separator: ", "))
        headers.add(name: "access-control-max-age", value: "\(maximumAge.nanoseconds / 1_000_000_000)")
        return LocalResponse(status: .noContent, headers: headers)
    }

    /// Lets a page of this origin (nil: the request names none) see the answer.
    func apply(to changes: inout HeaderChanges, origin: String?) {
        changes.removesUpstreamCORS = true
        // A cache must not give the answer for one origin to another.
        if !origins.contains("*") { changes.addResponse(checked: "vary", "Origin") }
        guard let origin, allows(origin) else { return }
        for field in fields(for: origin) { changes.addResponse(checked: field.name, field.value) }
        guard !exposedHeaders.isEmpty else { return }
        changes.addResponse(checked: "access-control-expose-headers", exposedHeaders.joined(separator: ", "))
    }

    private func fields(for origin: String) -> [(name: String, value: String)] {
        let allowed = (name: "access-control-allow-origin", value: origins.contains("*") ? "*" : origin)
        return allowsCredentials ? [allowed, (name: "access-control-allow-credentials", value: "true")] : [allowed]
    }
}

extension RequestHead {
    /// What a preflight asks about: a page's origin, and the method of the request that it wants to send.
    var preflight: (origin: String, method: String)? {
        guard method == "OPTIONS", let origin = first("origin"), let asked = first("access-control-request-method") else { return nil }
        return (origin, asked)
    }
}
