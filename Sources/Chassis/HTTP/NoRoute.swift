import HTTPTypes
import Hummingbird

/// Answers what no route takes: 405 with `Allow` where another method would do, else 404. Hummingbird's own answer is an empty 404.
struct NoRoute: RouterMiddleware {
    let routes: [Route]

    func handle(
        _ request: Request, context: CallContext, next: @concurrent (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let methods = methods(at: request.uri.path)
        throw methods.isEmpty ? Problem.notFound() : .methodNotAllowed(allow: methods)
    }

    /// Those of the most specific route that takes the path, as the router would choose it: `/api/users/me` before `/api/users/{id}`.
    private func methods(at path: String) -> [HTTPRequest.Method] {
        let segments = path.split(separator: "/")
        let takers = routes.filter { Self.template($0.path.split(separator: "/"), takes: segments) }
        let chosen = takers.map(\.path).min { $0.count(where: { $0 == "{" }) < $1.count(where: { $0 == "{" }) }
        return takers.filter { $0.path == chosen }.map(\.method)
    }

    private static func template(_ template: [Substring], takes segments: [Substring]) -> Bool {
        template.count == segments.count && zip(template, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
