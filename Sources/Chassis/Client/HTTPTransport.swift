public import Foundation
public import HTTPTypes

/// An HTTP request on its way out, whole.
public struct OutboundRequest: Sendable {
    public var method: HTTPRequest.Method
    /// Absolute: `http://127.0.0.1:3002/internal/reservations`.
    public var url: String
    public var headers: HTTPFields
    public var body: Data?

    public init(method: HTTPRequest.Method, url: String, headers: HTTPFields = [:], body: Data? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// An HTTP response that has come in, whole.
public struct InboundResponse: Sendable {
    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    public var body: Data

    public init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: Data = Data()) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why there is no response. What matters is whether the other side may have done something.
public enum TransportError: Error, Sendable, Hashable {
    /// Nobody answered at that address; nothing was sent.
    case notConnected
    /// The time was over; the outcome is unknown.
    case timedOut
    /// The connection broke in between; the outcome is unknown.
    case interrupted
    /// The response was larger than is read; the outcome is unknown.
    case replyTooLarge
    /// The request cannot be put on the wire; nothing was sent.
    case invalidRequest
    /// The task was cancelled; the outcome is unknown.
    case cancelled
}

/// How requests leave the process: a real HTTP client in production, a virtual network in the simulation.
public struct HTTPTransport: Sendable {
    public typealias Perform = @Sendable (OutboundRequest, _ timeout: Duration) async throws(TransportError) -> InboundResponse

    private let performRequest: Perform
    private let release: @Sendable () async -> Void

    /// - Parameters:
    ///   - perform: makes one exchange: no retry, no redirect; ends within the timeout, which covers the whole body, and soon after the task
    ///     is cancelled.
    ///   - shutDown: closes what is open. Called once, after the last request.
    public init(perform: @escaping Perform, shutDown: @escaping @Sendable () async -> Void = {}) {
        self.performRequest = perform
        self.release = shutDown
    }

    public func send(_ request: OutboundRequest, timeout: Duration) async throws(TransportError) -> InboundResponse {
        try await performRequest(request, timeout)
    }

    /// Closes all connections. Requests made afterwards fail as `notConnected`.
    public func shutDown() async {
        await release()
    }
}
