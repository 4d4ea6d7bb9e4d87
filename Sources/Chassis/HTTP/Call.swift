public import Commerce
import Foundation
import HTTPTypes
public import Hummingbird
public import Logging
public import NIOCore
import NIOFoundationCompat

/// A request body that can be read from the members of a JSON object.
public protocol JSONBody: Sendable {
    /// Throws the problem that lists every mistake; see `Fields`.
    init(_ fields: Fields) throws
}

/// One request on its way through a handler: what was asked, and by whom.
public struct Call: Sendable {
    public let request: Request
    public let context: CallContext
    let bodyLimitBytes: Int

    public init(request: Request, context: CallContext, bodyLimitBytes: Int = Route.defaultBodyLimitBytes) {
        self.request = request
        self.context = context
        self.bodyLimitBytes = bodyLimitBytes
    }

    public var caller: Caller { context.caller }
    public var logger: Logger { context.logger }

    /// The signed-in user. On a route for `.users` or `.administrators` there is one; elsewhere this throws 401.
    public var user: UserIdentity {
        get throws(Problem) {
            guard case .user(let user) = context.caller else { throw .unauthorized() }
            return user
        }
    }

    // MARK: Path and query

    /// The id in the path. What is no id gets the 404 that an unknown id gets.
    public func id<Entity>(
        _ name: String = "id", of entity: Entity.Type = Entity.self, orElse problem: Problem = .notFound()
    ) throws(Problem) -> Identifier<Entity> {
        guard let text = context.parameters.get(name), let id = Identifier<Entity>(text) else { throw problem }
        return id
    }

    /// A path parameter as text.
    public func parameter(_ name: String) throws(Problem) -> String {
        guard let text = context.parameters.get(name) else { throw .notFound() }
        return text.removingPercentEncoding ?? text
    }

    public func query(_ name: String) -> String? {
        request.uri.queryParameters.get(name)
    }

    /// `limit` and `cursor` of a list.
    public func pageRequest() throws(Problem) -> PageRequest {
        guard let text = query("limit") else { return PageRequest(cursor: query("cursor")) }
        guard let limit = Int(text), PageRequest.limits.contains(limit) else {
            throw .invalid("?limit", "must be between \(PageRequest.limits.lowerBound) and \(PageRequest.limits.upperBound)")
        }
        return PageRequest(limit: limit, cursor: query("cursor"))
    }

    // MARK: Body

    /// The body, up to the route's limit; 413 beyond it.
    public func bodyBytes() async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: bodyLimitBytes)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(limitBytes: bodyLimitBytes)
        }
    }

    /// The body as it came, if it says that it is JSON: for what is checked byte by byte, such as a signature.
    public func jsonBytes() async throws -> ByteBuffer {
        try requireJSON()
        return try await bodyBytes()
    }

    /// The body as a JSON object, read into `Body`. All its mistakes are told in one 400.
    public func body<Body: JSONBody>(_ type: Body.Type = Body.self) async throws -> Body {
        try requireJSON()
        return try Self.read(type, from: try await bodyBytes())
    }

    /// The body as one of our own wire types, between services.
    public func internalBody<Body: Decodable>(_ type: Body.Type = Body.self) async throws -> Body {
        let bytes = try await bodyBytes()
        do {
            return try JSON.decode(type, from: bytes)
        } catch {
            throw Problem.invalid("", "must be a \(type): \(error)")
        }
    }

    static func read<Body: JSONBody>(_ type: Body.Type, from bytes: ByteBuffer) throws -> Body {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw Problem(.badRequest, "malformed-json", "The body is \(error)")
        }
        guard case .object(let members) = value else { throw Problem.invalid("", "must be a JSON object") }
        return try Body(Fields(members))
    }

    /// 415 unless the body says that it is JSON, or says nothing.
    private func requireJSON() throws(Problem) {
        guard let contentType = request.headers[.contentType] else { return }
        let mediaType = contentType.prefix(while: { $0 != ";" }).lowercased().trimmingCharacters(in: .whitespaces)
        guard mediaType == "application/json" || mediaType.hasSuffix("+json") else { throw .unsupportedMediaType }
    }
}
