import Foundation
import HTTPTypes
public import Hummingbird

/// A problem as it stands on the wire: RFC 9457's members, and `error` with the sentence for a person.
public struct ProblemDocument: Encodable {
    private let type: String
    private let title: String
    private let status: Int
    private let detail: String?
    private let instance: String
    private let error: String
    private let errors: [MistakeDocument]?
    private let details: Inner?
    private let headers: HTTPFields

    private struct MistakeDocument: Encodable {
        let pointer: String
        let detail: String
    }

    private struct Inner: Encodable {
        let error: String
    }

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail, instance, error, errors, details
    }

    /// - Parameter instance: the path of the request.
    public init(_ problem: Problem, instance: String) {
        type = problem.type
        title = problem.status.reasonPhrase.isEmpty ? "Error" : problem.status.reasonPhrase
        status = problem.status.code
        detail = problem.detail
        self.instance = instance
        error = problem.error
        errors = problem.mistakes.isEmpty ? nil : problem.mistakes.map { MistakeDocument(pointer: $0.pointer, detail: $0.detail) }
        details = problem.innerError.map(Inner.init)
        headers = problem.headers
    }

    func response() -> Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        // The members are strings and numbers: encoding them cannot fail. An empty body would still carry the right status.
        let body = (try? JSON.encode(self)).map { ResponseBody(byteBuffer: $0) } ?? ResponseBody()
        return Response(status: HTTPResponse.Status(code: status), headers: headers, body: body)
    }
}

extension Problem {
    /// The response that a client gets for this problem.
    public func response(instance: String) -> Response {
        ProblemDocument(self, instance: instance).response()
    }
}
