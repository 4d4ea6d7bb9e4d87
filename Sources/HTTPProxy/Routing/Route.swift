public import NIOCore

/// Which requests a route takes, and what becomes of them.
public struct Route: Sendable {
    /// Unique; a label of metrics and logs.
    public var name: String
    /// The host it is for, without port, any case; nil: every host.
    public var host: String?
    /// The methods it takes, in upper case; nil: every method. HEAD must be named to be taken.
    public var methods: Set<String>?
    /// Fields that a request must have, all of them.
    public var headers: [HeaderMatch]
    public var path: PathPattern
    /// What stands in place of the path's prefix when a request is sent on: with `/v2`, a route for `/api` sends `/api/users` on as `/v2/users`.
    /// Nil: the path stays as it is.
    public var rewrite: String?
    public var target: RouteTarget
    public var timeouts: RouteTimeouts
    public var retries: RetryPolicy
    /// The longest request body in bytes, whether it is announced or streamed; a longer one is a 413.
    public var maximumBodyBytes: Int
    /// Protocols that a client may switch to (RFC 9110, 7.8), such as `websocket`, in any case. What goes through after the switch is not looked at.
    public var upgrades: Set<String> = []
    /// Nil: nothing is said about other origins, and preflights are requests like others.
    public var cors: CORS?
    /// Whether responses get the fields that make browsers careful (`X-Content-Type-Options` and others), as far as the upstream has not set them.
    public var addsSecurityHeaders = false
    /// Nil: responses go as they are.
    public var compression: Compression? = Compression()
    /// Nil: no response is kept.
    public var cache: RouteCache?
    /// Asked in order before the request goes on.
    public var policies: [any RequestPolicy]

    public init(
        name: String, host: String? = nil, methods: Set<String>? = nil, headers: [HeaderMatch] = [], path: PathPattern,
        rewrite: String? = nil, target: RouteTarget,
        timeouts: RouteTimeouts = RouteTimeouts(), retries: RetryPolicy = RetryPolicy(), maximumBodyBytes: Int = 1 << 20,
        policies: [any RequestPolicy] = []
    ) {
        self.name = name
        self.host = host
        self.methods = methods
        self.headers = headers
        self.path = path
        self.rewrite = rewrite
        self.target = target
        self.timeouts = timeouts
        self.retries = retries
        self.maximumBodyBytes = maximumBodyBytes
        self.policies = policies
    }
}

/// A field that a request must have.
public struct HeaderMatch: Hashable, Sendable {
    /// In any case.
    public var name: String
    /// What its first value must be, to the letter; nil: anything.
    public var value: String?

    public init(name: String, value: String? = nil) {
        self.name = name
        self.value = value
    }
}

/// A set of paths. Patterns are compared segment by segment with the path in normal form; the more specific pattern wins: a literal segment
/// over a parameter, a longer pattern over a shorter, a complete one over a prefix.
public enum PathPattern: Hashable, Sendable {
    /// The path itself and everything below it: `/api/users` takes `/api/users` and `/api/users/7`, not `/api/users2`. `/` takes all.
    case prefix(String)
    /// Exactly this many segments; `{name}` stands for any one that is not empty: `/api/users/{id}`.
    case template(String)
}

/// How long a route's requests may take. Nil: no limit.
public struct RouteTimeouts: Hashable, Sendable {
    /// From the complete request to the first byte of the response; after that a 504. Also how long a request waits for a free
    /// connection; after that a 503.
    public var firstByte: TimeAmount?
    /// From one piece of a response to the next, and in a connection that has switched protocols from one piece of either side to the next; after
    /// that the connection is cut.
    public var idle: TimeAmount?
    /// From the request's head to the end of the response; before a response began a 504 (or a 408 while the request's own body is
    /// still missing), afterwards the connection is cut. Nil for streams such as Server-Sent Events; a connection that has switched protocols has none.
    public var total: TimeAmount?

    public init(firstByte: TimeAmount? = .seconds(15), idle: TimeAmount? = .seconds(300), total: TimeAmount? = .seconds(30)) {
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}
