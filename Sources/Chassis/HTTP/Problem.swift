import Commerce
public import HTTPTypes

/// A request that cannot be granted, as RFC 9457 describes it. Thrown by handlers, it is what the client reads.
///
/// `error` is the sentence for a person; `kind` is stable and for programs. Nothing internal belongs here: an unexpected error is
/// anything that is not a `Problem`, and leaves as an opaque 500.
public struct Problem: Error, Sendable {
    /// One mistake in the request, at an RFC 6901 pointer into its body (or `?name` for a query parameter).
    public struct Mistake: Sendable, Hashable {
        public let pointer: String
        public let detail: String

        public init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    public let status: HTTPResponse.Status
    /// The last part of the `type` URN, for example `insufficient-stock`.
    public let kind: String
    /// The sentence for a person.
    public let error: String
    /// More about this occurrence, where there is more to say.
    public var detail: String?
    public var mistakes: [Mistake] = []
    public var headers: HTTPFields = [:]
    /// The sentence of the inner reason, shown as `details.error`: the reference API's way to say why an order failed.
    public var innerError: String?

    public init(_ status: HTTPResponse.Status, _ kind: String, _ error: String, detail: String? = nil) {
        self.status = status
        self.kind = kind
        self.error = error
        self.detail = detail
    }

    /// The RFC 9457 `type`.
    public var type: String { "urn:souk:problem:\(kind)" }

    public func with(detail: String) -> Problem {
        var copy = self
        copy.detail = detail
        return copy
    }

    public func with(header name: HTTPField.Name, _ value: String) -> Problem {
        var copy = self
        copy.headers[name] = value
        return copy
    }

    public func with(innerError: String) -> Problem {
        var copy = self
        copy.innerError = innerError
        return copy
    }
}

// MARK: - The problems that every service has

extension Problem {
    /// 400 with every mistake of the request.
    public static func invalid(_ mistakes: [Mistake]) -> Problem {
        let sentence = mistakes.first.map { $0.pointer.isEmpty ? "The request is not valid: \($0.detail)" : "\($0.pointer) \($0.detail)" }
        var problem = Problem(.badRequest, "invalid-request", sentence ?? "The request is not valid")
        problem.mistakes = mistakes
        return problem
    }

    public static func invalid(_ pointer: String, _ detail: String) -> Problem {
        .invalid([Mistake(pointer: pointer, detail: detail)])
    }

    public static func notFound(_ error: String = "Not found") -> Problem { Problem(.notFound, "not-found", error) }

    /// 401; RFC 9110 wants the `WWW-Authenticate` that it carries.
    public static func unauthorized(_ error: String = "Authentication is required", challenge: String = "Bearer") -> Problem {
        Problem(.unauthorized, "unauthorized", error).with(header: .wwwAuthenticate, challenge)
    }

    public static let forbidden = Problem(.forbidden, "forbidden", "You may not do this")

    public static func conflict(_ kind: String, _ error: String) -> Problem { Problem(.conflict, kind, error) }

    public static func methodNotAllowed(allow: [HTTPRequest.Method]) -> Problem {
        Problem(.methodNotAllowed, "method-not-allowed", "This method is not allowed here")
            .with(header: .allow, allow.map(\.rawValue).sorted().joined(separator: ", "))
    }

    public static func bodyTooLarge(limitBytes: Int) -> Problem {
        Problem(.contentTooLarge, "body-too-large", "The body is too large", detail: "At most \(limitBytes) bytes are read here.")
    }

    public static let unsupportedMediaType = Problem(.unsupportedMediaType, "unsupported-media-type", "The body must be application/json")

    public static func tooManyRequests(_ error: String, retryAfter: Duration) -> Problem {
        Problem(.tooManyRequests, "too-many-requests", error).with(header: .retryAfter, retryAfter.wholeSecondsUp)
    }

    /// 503: something that this needs is away for now.
    public static func unavailable(_ error: String, retryAfter: Duration = .seconds(1)) -> Problem {
        Problem(.serviceUnavailable, "unavailable", error).with(header: .retryAfter, retryAfter.wholeSecondsUp)
    }

    /// 503: all that can be worked on at a time is under way.
    static let busy = Problem(.serviceUnavailable, "service-busy", "The service is too busy at the moment")
        .with(header: .retryAfter, Duration.seconds(1).wholeSecondsUp)

    public static let deadlineExceeded = Problem(.gatewayTimeout, "deadline-exceeded", "The time for this request is over")

    /// What a client learns of an error that nobody expected: nothing but that it happened.
    public static let unexpected = Problem(.internalServerError, "internal", "Something went wrong on our side")
}

extension Duration {
    /// Whole seconds, rounded up and at least 1, as `Retry-After` takes them.
    fileprivate var wholeSecondsUp: String { String(max(1, (wholeMilliseconds + 999) / 1000)) }
}
