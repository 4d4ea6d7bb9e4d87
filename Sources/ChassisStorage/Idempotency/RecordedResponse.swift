public import Chassis
public import HTTPTypes
public import Hummingbird

/// A response as it can be stored and given again: status, headers, and a body that is all there.
///
/// It is what a transaction that creates or charges answers with, because Hummingbird's own response has a body that can only be read
/// by suspending. It is made with the same words: `.json(order, status: .created)`.
public struct RecordedResponse: Sendable, Hashable {
    public let status: HTTPResponse.Status
    public let headers: HTTPFields
    public let body: [UInt8]

    public init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON body with its members in alphabetical order.
    ///
    /// - Throws: `EncodingError`.
    public static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) throws
        -> RecordedResponse
    {
        var headers = headers
        headers[.contentType] = "application/json"
        return RecordedResponse(status: status, headers: headers, body: try JSON.encodedBytes(value))
    }

    public static let noContent = RecordedResponse(status: .noContent)

    /// The problem document that a client gets.
    ///
    /// - Parameter instance: the path of the request.
    public static func problem(_ problem: Problem, instance: String) throws -> RecordedResponse {
        var headers = problem.headers
        headers[.contentType] = "application/problem+json"
        let document = ProblemDocument(problem, instance: instance)
        return RecordedResponse(status: problem.status, headers: headers, body: try JSON.encodedBytes(document))
    }

    /// The response to send.
    public var response: Response {
        Response(status: status, headers: headers, body: body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
