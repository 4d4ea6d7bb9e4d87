import Commerce
import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOCore
import NIOPosix
import Tracing

// What every request to a service goes through, from the outside in:
//
// 1. identity of the request: its id, its deadline and its trace context, as task-locals for logs and for calls to others;
// 2. the route, by Hummingbird's router; a known path with another method is a 405 with `Allow`, an unknown path a 404;
// 3. whether there is room for one more of customers' requests;
// 4. who calls: the token is verified and held against the route's access;
// 5. the handler;
// 6. the way out: an error becomes a problem document (RFC 9457), an unexpected one is logged once with its cause and leaves as an
//    opaque 500; the request is counted by its route's template.
//
// It is the outermost responder, because Hummingbird answers errors that reach it with an empty 500.

/// Answers all requests of one service.
struct ServiceResponder: HTTPResponder {
    typealias Context = CallContext

    private let router: RouterResponder<CallContext>
    private let time: TimeSource
    private let randomness: Randomness
    private let metrics = ServiceMetrics()

    init(routes: [Route], authenticator: Authenticator, platform: Platform) {
        let router = Router(context: CallContext.self)
        let limit = ConcurrencyLimit(platform.settings.maximumConcurrentRequests)
        for route in routes {
            let responder = RouteResponder(route: route, authenticator: authenticator, limit: route.isForCustomers ? limit : nil)
            router.on(RouterPath(route.path), method: route.method, responder: responder)
        }
        // After the routes, and so only before Hummingbird's own answer to what none of them takes.
        router.add(middleware: NoRoute(routes: routes))
        self.router = router.buildResponder()
        time = platform.time
        randomness = platform.randomness
    }

    func respond(to request: Request, context: CallContext) async throws -> Response {
        let start = time.monotonic
        var context = context
        context.requestID = RequestIdentity.accepted(request.headers[.xRequestID]) ?? randomness.hex(bytes: 16)
        context.logger[metadataKey: "request_id"] = .string(context.requestID)
        let deadline = Deadline.parse(header: request.headers[.soukDeadline], time: time)
        let response = await RequestTracing.withSpan(of: request.headers, requestID: context.requestID) { [context] span in
            let response = await Deadline.$current.withValue(deadline) { await answer(request, context) }
            span.operationName = "\(request.method.rawValue) \(context.endpointPath ?? "none")"
            span.attributes["http.response.status_code"] = response.status.code
            return response
        }
        metrics.requestEnded(
            method: request.method, route: context.endpointPath, status: response.status, duration: time.monotonic - start)
        return response
    }

    private func answer(_ request: Request, _ context: CallContext) async -> Response {
        var response: Response
        do {
            response = try await router.respond(to: request, context: context)
        } catch {
            let problem = Self.problem(for: error, logger: context.logger)
            response = ProblemDocument(problem, instance: request.uri.path).response()
        }
        response.headers[.xRequestID] = context.requestID
        return response
    }

    /// What the client may know of an error. Only what nobody expected is logged: the rest is the client's own doing.
    private static func problem(for error: any Error, logger: Logger) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as any ProblemConvertible:
            return error.problem
        case let error as ServiceClientError where error.isTransient:
            return error.unavailability ?? .unexpected
        case let error as any TransientFailure where error.isTransient:
            // Whoever is in trouble tells of it once, when it begins; thousands of requests may meet it.
            logger.debug("request refused", metadata: ["error": "\(error)"])
            return error.problem
        case let error as HTTPError where error.status == .contentTooLarge:
            return Problem(.contentTooLarge, "body-too-large", "The body is too large")
        case let error as HTTPError where error.status.kind == .clientError:
            return Problem(error.status, "bad-request", error.body ?? "The request is not valid")
        default:
            logger.error("request failed", error: error)
            return .unexpected
        }
    }
}

/// An error of another module that a client may know about. A store's typed errors conform to it where they are mapped to HTTP.
public protocol ProblemConvertible: Error {
    var problem: Problem { get }
}

/// An error of a module below HTTP that may pass, such as a full queue or disk: a client gets 503 and may try again.
public protocol TransientFailure: Error {
    var isTransient: Bool { get }
    /// What a client may know of it, when it is transient.
    var problem: Problem { get }
}

/// One route: whether there is room, who may call it, then its handler.
private struct RouteResponder: HTTPResponder {
    let route: Route
    let authenticator: Authenticator
    /// Nil for what is never refused for want of room.
    let limit: ConcurrencyLimit?

    func respond(to request: Request, context: CallContext) async throws -> Response {
        guard let limit else { return try await answer(request, context) }
        return try await limit.withPlace { try await answer(request, context) }
    }

    private func answer(_ request: Request, _ context: CallContext) async throws -> Response {
        var context = context
        context.caller = try await caller(of: request)
        if let refusal = route.access.refusal(of: context.caller) { throw refusal }
        if let length = request.headers[.contentLength].flatMap(Int.init), length > route.bodyLimitBytes {
            throw Problem.bodyTooLarge(limitBytes: route.bodyLimitBytes)
        }
        return try await route.handler(Call(request: request, context: context, bodyLimitBytes: route.bodyLimitBytes))
    }

    /// On an open route a token that does not verify is no reason to refuse: the caller is anonymous.
    private func caller(of request: Request) async throws(Problem) -> Caller {
        guard route.access != .anyone else { return .anonymous }
        return try await authenticator.caller(authorization: request.headers[.authorization])
    }
}
