import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat

/// A service that answers without a socket: everything from the request's identity to the problem document, and no HTTP/1.1.
///
/// What `ServiceHost` puts behind a port, the simulation puts into a network of its own.
public struct ServiceEndpoint: Sendable {
    private let responder: ServiceResponder
    private let logger: Logger

    public init(_ service: Service, platform: Platform) {
        responder = ServiceResponder(
            routes: ServiceHost(service, platform: platform).routes, authenticator: service.authenticator, platform: platform)
        logger = platform.logger
    }

    /// - Throws: what a handler throws that is answered by closing the connection; a response of 4xx or 5xx is a result.
    public func respond(to request: OutboundRequest) async throws -> InboundResponse {
        let address = request.url.firstRange(of: "://").map { request.url[$0.upperBound...] } ?? request.url[...]
        let slash = address.firstIndex(of: "/") ?? address.endIndex
        let head = HTTPRequest(
            method: request.method, scheme: "http", authority: String(address[..<slash]),
            path: slash == address.endIndex ? "/" : String(address[slash...]), headerFields: request.headers)
        let body = RequestBody(buffer: request.body.map { ByteBuffer(data: $0) } ?? ByteBuffer())
        let response = try await responder.respond(to: Request(head: head, body: body), context: CallContext(logger: logger))
        let collected = CollectedBody()
        try await response.body.write(collected)
        return InboundResponse(status: response.status, headers: response.headers, body: Data(buffer: collected.bytes))
    }
}

/// Takes a response's body as a whole.
private final class CollectedBody: ResponseBodyWriter {
    private(set) var bytes = ByteBuffer()

    func write(_ buffer: ByteBuffer) async throws {
        bytes.writeImmutableBuffer(buffer)
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
