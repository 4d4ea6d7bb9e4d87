/// Why the proxy itself answered a request, or gave one up. Each has a fixed status, a stable name (the last part of the problem's URN and
/// the label in logs and metrics) and a sentence for a person.
public struct ProxyFailure: Error, Hashable, Sendable, CustomStringConvertible {
    enum Code: Hashable, Sendable {
        case malformedRequest, invalidHost, ambiguousFraming, invalidPath, versionNotSupported, methodRefused, expectationRefused
        case headTooLarge, bodyTooLarge, requestTruncated, requestTimeout
        case notFound, methodNotAllowed
        case noEndpoint, connectFailed, connectTimeout, circuitOpen, upstreamBusy, upstreamClosed, upstreamMalformed, upstreamTimeout
        case policyFailed, notStored
    }

    let code: Code

    static let malformedRequest = Self(code: .malformedRequest)
    static let invalidHost = Self(code: .invalidHost)
    static let ambiguousFraming = Self(code: .ambiguousFraming)
    static let invalidPath = Self(code: .invalidPath)
    static let versionNotSupported = Self(code: .versionNotSupported)
    static let methodRefused = Self(code: .methodRefused)
    static let expectationRefused = Self(code: .expectationRefused)
    static let headTooLarge = Self(code: .headTooLarge)
    static let bodyTooLarge = Self(code: .bodyTooLarge)
    static let requestTruncated = Self(code: .requestTruncated)
    static let requestTimeout = Self(code: .requestTimeout)
    static let notFound = Self(code: .notFound)
    static let methodNotAllowed = Self(code: .methodNotAllowed)
    static let noEndpoint = Self(code: .noEndpoint)
    static let connectFailed = Self(code: .connectFailed)
    static let connectTimeout = Self(code: .connectTimeout)
    static let circuitOpen = Self(code: .circuitOpen)
    static let upstreamBusy = Self(code: .upstreamBusy)
    static let upstreamClosed = Self(code: .upstreamClosed)
    static let upstreamMalformed = Self(code: .upstreamMalformed)
    static let upstreamTimeout = Self(code: .upstreamTimeout)
    static let policyFailed = Self(code: .policyFailed)
    static let notStored = Self(code: .notStored)

    public var status: Int { facts.status }

    /// A stable name in kebab case, such as `upstream-timeout`.
    public var name: String { facts.name }

    /// What happened, as a sentence for a person; it reveals nothing about the inside.
    public var sentence: String { facts.sentence }

    public var description: String { name }

    /// Whether trying again soon makes sense, so that the answer carries `Retry-After`.
    var isTemporary: Bool { status == 503 }

    private var facts: (status: Int, name: String, sentence: String) {
        switch code {
        case .malformedRequest: (400, "malformed-request", "The request is not valid HTTP")
        case .invalidHost: (400, "invalid-host", "The request must have exactly one valid Host header")
        case .ambiguousFraming: (400, "ambiguous-framing", "The length of the request body is stated wrongly or more than once")
        case .invalidPath: (400, "invalid-path", "The path contains something that is not allowed in a path")
        case .versionNotSupported:
            (505, "version-not-supported", "Only HTTP/1.1, HTTP/1.0 and, where it is allowed, HTTP/2 are spoken here")
        case .methodRefused: (405, "method-not-allowed", "This method is not allowed here")
        case .expectationRefused: (417, "expectation-failed", "Nothing but 100-continue can be expected here")
        case .headTooLarge: (431, "header-too-large", "The request line and headers are too large")
        case .bodyTooLarge: (413, "body-too-large", "The request body is too large")
        case .requestTruncated: (400, "request-truncated", "The request ended before its body was complete")
        case .requestTimeout: (408, "request-timeout", "The request took too long to arrive")
        case .notFound: (404, "not-found", "Nothing was found at this path")
        case .methodNotAllowed: (405, "method-not-allowed", "This method is not allowed here")
        case .noEndpoint: (503, "unavailable", "The service is not available at the moment")
        case .connectFailed: (503, "unavailable", "The service is not available at the moment")
        case .connectTimeout: (503, "unavailable", "The service is not available at the moment")
        case .circuitOpen: (503, "unavailable", "The service is not available at the moment")
        case .upstreamBusy: (503, "service-busy", "The service is too busy at the moment")
        case .upstreamClosed: (502, "upstream-closed", "The service closed the connection before it answered")
        case .upstreamMalformed: (502, "upstream-malformed", "The service gave an answer that is not valid HTTP")
        case .upstreamTimeout: (504, "upstream-timeout", "The service did not answer in time")
        case .notStored: (504, "not-stored", "Only a stored response was asked for, and none is there")
        case .policyFailed: (500, "internal-error", "Something went wrong inside the gateway")
        }
    }
}
