public import Contracts
public import Foundation
public import HTTPTypes
public import Logging

/// Calls another service, as a good neighbour does: it says who it is and for which request, how long it will wait, repeats only what
/// may be repeated and not too often, and leaves a service alone that is down.
///
///     let users = ServiceClient(to: .users, baseURL: "http://127.0.0.1:3001", transport: transport, credentials: credentials,
///                               time: .system, randomness: .system)
///     let profile = try await users.get("/internal/users/\(id)", as: Profile.self)
///
/// One client per service and process: its circuit breaker and its retry budget learn from all calls. What one call does is in
/// `ServiceCall`.
public final class ServiceClient: Sendable {
    /// Who is called.
    public let service: ServiceName
    private let baseURL: String
    private let environment: ServiceCall.Environment

    /// - Parameters:
    ///   - baseURL: scheme, host and port, without a path: `http://127.0.0.1:3001`.
    ///   - credentials: who calls; nil to call without proof.
    public convenience init(
        to service: ServiceName, baseURL: String, transport: HTTPTransport, credentials: ServiceCredentials?, time: TimeSource,
        randomness: Randomness, policy: ClientPolicy = .standard, logger: Logger = Logger(label: "chassis.client")
    ) {
        self.init(
            to: service, baseURL: baseURL, transport: transport, credentials: credentials, time: time, randomness: randomness,
            policy: policy, logger: logger, instruments: ClientInstruments())
    }

    init(
        to service: ServiceName, baseURL: String, transport: HTTPTransport, credentials: ServiceCredentials?, time: TimeSource,
        randomness: Randomness, policy: ClientPolicy, logger: Logger, instruments: ClientInstruments
    ) {
        self.service = service
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        self.environment = ServiceCall.Environment(
            transport: transport, credentials: credentials, time: time, randomness: randomness, policy: policy,
            callGuard: CallGuard(service: service, time: time, logger: logger, instruments: instruments), instruments: instruments)
    }

    /// Sends `body` as JSON and reads the answer as `Reply`.
    ///
    /// - Parameters:
    ///   - idempotent: whether the same call twice does the same as once; only then is it ever repeated.
    ///   - timeout: for the whole call; by default the policy's. The deadline of the request being answered holds besides.
    ///   - reply: `NoReply` to accept any body or none.
    /// - Throws: `problem` for a status of 400 or more, `malformedReply` if the body is no `Reply`; else see `exchange`.
    public func send<Reply: Decodable & Sendable>(
        _ method: HTTPRequest.Method, _ path: RequestPath, body: (any Encodable & Sendable)? = nil, idempotent: Bool,
        timeout: Duration? = nil,
        as reply: Reply.Type
    ) async throws(ServiceClientError) -> Reply {
        let response = try await exchange(method, path, body: try encode(body), idempotent: idempotent, timeout: timeout)
        guard response.status.code < 400 else { throw .problem(ServiceProblem(response, from: service)) }
        if let nothing = NoReply() as? Reply { return nothing }
        do {
            return try JSON.decode(reply, from: response.body)
        } catch {
            throw .malformedReply(service)
        }
    }

    /// `GET`, which is idempotent.
    public func get<Reply: Decodable & Sendable>(
        _ path: RequestPath, timeout: Duration? = nil, as reply: Reply.Type
    ) async throws(ServiceClientError) -> Reply {
        try await send(.get, path, idempotent: true, timeout: timeout, as: reply)
    }

    /// `POST`, which is idempotent only when the receiver makes it so, for example by an id in the body.
    public func post<Reply: Decodable & Sendable>(
        _ path: RequestPath, body: (any Encodable & Sendable)? = nil, idempotent: Bool = false, timeout: Duration? = nil,
        as reply: Reply.Type
    ) async throws(ServiceClientError) -> Reply {
        try await send(.post, path, body: body, idempotent: idempotent, timeout: timeout, as: reply)
    }

    /// The raw exchange: any status is a result.
    ///
    /// - Parameter headers: besides those that every call has; `Content-Type` is JSON unless it is named here.
    /// - Throws: `unavailable`, `timedOut`, `malformedReply` (too large), `malformedRequest` or `cancelled`.
    public func exchange(
        _ method: HTTPRequest.Method, _ path: RequestPath, headers: HTTPFields = [:], body: Data? = nil, idempotent: Bool,
        timeout: Duration? = nil
    ) async throws(ServiceClientError) -> InboundResponse {
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let call = ServiceCall(
            service: service, request: OutboundRequest(method: method, url: baseURL + path.path, headers: headers, body: body),
            route: path.route, isIdempotent: idempotent, timeout: timeout, environment: environment)
        return try await call.run()
    }

    private func encode(_ body: (any Encodable & Sendable)?) throws(ServiceClientError) -> Data? {
        guard let body else { return nil }
        do {
            return try JSON.encodedData(body)
        } catch {
            throw .malformedRequest(service)
        }
    }
}

/// Asks for no reply: whatever body comes is left unread.
public struct NoReply: Decodable, Sendable, Hashable {
    public init() {}

    public init(from decoder: any Decoder) {}
}
