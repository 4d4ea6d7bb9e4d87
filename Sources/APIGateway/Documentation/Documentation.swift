import Chassis
import Contracts
import Hummingbird

/// What a shop tells of itself: `/openapi.json`, the API of all services as one document, and `/docs`, the page that shows it.
struct Documentation: Controller {
    /// In this order the page shows them; what the gateway itself answers interests operators only and comes last.
    private static let services: [ServiceName] = APIGateway.servicesBehind + [.gateway]

    private let document: StaticReply
    private let page: StaticReply
    private let files: [String: StaticReply]

    /// Merges the documents: once, at the start.
    init(_ embedded: [EmbeddedFile] = EmbeddedFile.all) throws {
        document = StaticReply(try Self.document(embedded).bytes, contentType: "application/json")
        let page = embedded.filter { $0.path.hasPrefix(Self.pageFolder) }.map { file in
            (String(file.path.dropFirst(Self.pageFolder.count)), StaticReply(file.bytes, contentType: Self.contentType(of: file)))
        }
        files = Dictionary(uniqueKeysWithValues: page)
        guard let index = files["index.html"] else { throw DocumentationError(missing: "page/index.html") }
        self.page = index
    }

    var routes: [Chassis.Route] {
        let routes: [Chassis.Route] = [
            .get("/openapi.json", .anyone) { call in document.response(to: call) },
            .get("/docs", .anyone) { call in page.response(to: call) },
            .get("/docs/{file}", .anyone, file),
        ]
        return routes + routes.map { .head(like: $0) }
    }

    private func file(_ call: Call) async throws -> Response {
        guard let file = files[try call.parameter("file")] else { throw Problem.notFound() }
        return file.response(to: call)
    }

    // MARK: The document

    /// The API of the shop, as who uses the gateway meets it.
    static func document(_ embedded: [EmbeddedFile]) throws -> OrderedJSON {
        let parts = try services.map { service in
            let path = "openapi/\(service.rawValue).json"
            guard let file = embedded.first(where: { $0.path == path }) else { throw DocumentationError(missing: path) }
            return APIMerge.Part(service: service, document: try OrderedJSON(parsing: file.bytes))
        }
        let head: OrderedJSON = [
            "openapi": "3.1.0",
            "info": [
                "title": "Souk",
                "version": .string(SoukVersion.current),
                "summary": "A shop: accounts, products, orders, payments and notifications.",
                "description": .string(introduction),
                "license": ["name": "Apache License 2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/", "description": "Where this document comes from"]],
        ]
        return try APIMerge.document(of: parts, head: head.members)
    }

    private static let introduction =
        "Browse the catalog, open an account, sign in, place an order and watch it being paid. Every answer has an `X-Request-Id`; every "
        + "error is an `application/problem+json` document (RFC 9457) whose `type` is for programs and whose `error` is for people. Lists "
        + "have pages, linked by `Link`. Send an `Idempotency-Key` with what must not happen twice, and repeat it until it is answered."

    // MARK: The page

    private static let pageFolder = "page/"

    private static func contentType(of file: EmbeddedFile) -> String {
        switch file.path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "application/octet-stream"
        }
    }
}

/// The executable was built without something that belongs into it.
struct DocumentationError: Error, CustomStringConvertible {
    let missing: String

    var description: String { "\(missing) is not part of the executable" }
}
