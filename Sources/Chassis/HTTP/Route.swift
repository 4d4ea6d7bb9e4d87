public import HTTPTypes
public import Hummingbird

/// One line of a controller's table: method, path, who may call it, and what answers.
public struct Route: Sendable {
    public typealias Handler = @Sendable (Call) async throws -> Response

    public static let defaultBodyLimitBytes = 256 * 1024

    public let method: HTTPRequest.Method
    /// With parameters in braces: `/api/orders/{id}`. It is the label in metrics and logs.
    public let path: String
    public let access: Access
    public let bodyLimitBytes: Int
    let handler: Handler

    /// Whether it is for customers and their browsers, not for other services or whoever watches the service.
    var isForCustomers: Bool { path.hasPrefix("/api/") }

    public init(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, bodyLimitBytes: Int = Route.defaultBodyLimitBytes,
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.bodyLimitBytes = bodyLimitBytes
        self.handler = handler
    }

    public static func get(_ path: String, _ access: Access, _ handler: @escaping Handler) -> Route {
        Route(.get, path, access, handler)
    }

    /// What answers HEAD where `route` answers GET: the same without the body (RFC 9110, section 9.3.2).
    public static func head(like route: Route) -> Route {
        Route(.head, route.path, route.access, bodyLimitBytes: route.bodyLimitBytes) { call in
            try await route.handler(call).createHeadResponse()
        }
    }

    public static func post(_ path: String, _ access: Access, _ handler: @escaping Handler) -> Route {
        Route(.post, path, access, handler)
    }

    public static func put(_ path: String, _ access: Access, _ handler: @escaping Handler) -> Route {
        Route(.put, path, access, handler)
    }

    public static func patch(_ path: String, _ access: Access, _ handler: @escaping Handler) -> Route {
        Route(.patch, path, access, handler)
    }

    public static func delete(_ path: String, _ access: Access, _ handler: @escaping Handler) -> Route {
        Route(.delete, path, access, handler)
    }
}

extension Route: CustomStringConvertible {
    /// `GET /api/orders/{id}`: how tables of routes and people name it.
    public var description: String { "\(method.rawValue) \(path)" }
}

/// The routes of one resource, as one value that a reader takes in at a glance.
public protocol Controller: Sendable {
    var routes: [Route] { get }
}
