import Chassis
import Foundation
import HTTPTypes

/// Speaks to a shop as everybody does: through its gateway.
struct PublicAPI: Sendable {
    /// `http://127.0.0.1:3000`.
    let gateway: String
    let transport: HTTPTransport

    /// - Parameters:
    ///   - token: an access token.
    ///   - key: an `Idempotency-Key`.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, token: String? = nil, key: String? = nil,
        timeout: Duration = .seconds(15)
    ) async throws -> InboundResponse {
        var headers: HTTPFields = [:]
        if body != nil { headers[.contentType] = "application/json" }
        if let token { headers[.authorization] = "Bearer \(token)" }
        if let key { headers[.idempotencyKey] = key }
        let request = OutboundRequest(
            method: method, url: gateway + path, headers: headers, body: try body.map { try JSON.encodedData($0) })
        return try await transport.send(request, timeout: timeout)
    }
}
