public import Commerce
import Foundation
public import HTTPTypes
public import Hummingbird
public import NIOCore
import NIOFoundationCompat

/// The ways a handler answers.
extension Response {
    /// A JSON body with its members in alphabetical order, so that the same value is the same bytes.
    public static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) throws -> Response {
        .json(bytes: try JSON.encode(value), status: status, headers: headers)
    }

    /// A body that is JSON already.
    public static func json(bytes: ByteBuffer, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }

    /// A bare JSON array with the `Link: <…>; rel="next"` of RFC 8288 when there is more.
    public static func page<Element: Encodable>(_ page: Page<Element>, of call: Call) throws -> Response {
        var headers: HTTPFields = [:]
        if let cursor = page.nextCursor {
            headers[.link] = "<\(call.nextPageTarget(cursor: cursor))>; rel=\"next\""
        }
        return try .json(page.elements, headers: headers)
    }

    public static let noContent = Response(status: .noContent)
    public static let accepted = Response(status: .accepted)
}

extension HTTPField.Name {
    public static let link = HTTPField.Name("Link")!
    public static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    public static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed")!
}

extension Call {
    /// This request's target with another `cursor`.
    fileprivate func nextPageTarget(cursor: String) -> String {
        var components = URLComponents()
        components.path = request.uri.path
        let kept = request.uri.queryParameters.filter { $0.key != "cursor" }
        components.queryItems =
            kept.map { URLQueryItem(name: String($0.key), value: String($0.value)) } + [URLQueryItem(name: "cursor", value: cursor)]
        return components.string ?? request.uri.path
    }
}
