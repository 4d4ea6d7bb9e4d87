import AsyncHTTPClient
import Foundation
import HTTPTypes
import Logging
public import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix

extension HTTPTransport {
    /// Requests over real sockets: HTTP/1.1 with connections kept open for the next request.
    ///
    /// Neither redirects nor decompression: services of one system need neither, and both have been ways in. One attempt per request, for
    /// whoever calls knows what may be repeated. Responses end at 10 MB.
    ///
    /// - Parameter eventLoopGroup: where the connections live; best the group that also serves, which saves thread switches.
    public static func asyncHTTPClient(eventLoopGroup: any EventLoopGroup) -> HTTPTransport {
        let exchange = AsyncHTTPClientExchange(eventLoopGroup: eventLoopGroup)
        return HTTPTransport(perform: exchange.perform, shutDown: exchange.shutDown)
    }
}

/// One exchange over AsyncHTTPClient's future-based interface. Its `async` one starts two tasks and an actor for every request, and its
/// deadline ends with the head of the response.
private struct AsyncHTTPClientExchange: Sendable {
    private static let maximumBodyBytes = 10 * 1024 * 1024

    private let client: HTTPClient

    init(eventLoopGroup: any EventLoopGroup) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(1)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        // Shorter than servers keep an idle connection, so that requests do not meet one that is just being closed.
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        // It would try to connect until the deadline; a refused connection must be told at once, for the circuit breaker to learn it.
        configuration.connectionPool.retryConnectionEstablishment = false
        // The service client writes the trace headers itself.
        configuration.tracing.tracer = nil
        client = HTTPClient(eventLoopGroupProvider: .shared(eventLoopGroup), configuration: configuration)
    }

    @Sendable func shutDown() async {
        do {
            try await client.shutdown()
        } catch {
            Logger(label: "chassis.client").warning("The HTTP client did not close cleanly", metadata: ["error": "\(error)"])
        }
    }

    @Sendable func perform(_ request: OutboundRequest, timeout: Duration) async throws(TransportError) -> InboundResponse {
        let native: HTTPClient.Request
        do {
            native = try HTTPClient.Request(request)
        } catch {
            throw .invalidRequest
        }
        let task = client.execute(
            request: native, delegate: ResponseAccumulator(request: native, maxBodySize: Self.maximumBodyBytes),
            deadline: .now() + TimeAmount(timeout))
        do {
            let response = try await withTaskCancellationHandler {
                try await task.futureResult.get()
            } onCancel: {
                task.fail(reason: CancellationError())
            }
            return InboundResponse(response)
        } catch {
            throw TransportError(error)
        }
    }
}

extension HTTPClient.Request {
    fileprivate init(_ request: OutboundRequest) throws {
        var headers = HTTPHeaders()
        headers.reserveCapacity(request.headers.count)
        for field in request.headers { headers.add(name: field.name.rawName, value: field.value) }
        try self.init(
            url: request.url, method: HTTPMethod(rawValue: request.method.rawValue), headers: headers,
            body: request.body.map { .byteBuffer(ByteBuffer(data: $0)) })
    }
}

extension InboundResponse {
    fileprivate init(_ response: HTTPClient.Response) {
        var headers = HTTPFields()
        headers.reserveCapacity(response.headers.count)
        for (name, value) in response.headers {
            guard let name = HTTPField.Name(name) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        self.init(
            status: HTTPResponse.Status(code: Int(response.status.code), reasonPhrase: response.status.reasonPhrase), headers: headers,
            body: response.body.map { Data(buffer: $0) } ?? Data())
    }
}

extension TransportError {
    fileprivate init(_ error: any Error) {
        switch error {
        case is CancellationError: self = .cancelled
        case is NIOConnectionError: self = .notConnected
        case is ResponseAccumulator.ResponseTooBigError: self = .replyTooLarge
        case let error as HTTPClientError: self.init(error)
        case let error as IOError where error.errnoCode == ECONNREFUSED: self = .notConnected
        default: self = .interrupted
        }
    }

    private init(_ error: HTTPClientError) {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout, .alreadyShutdown: self = .notConnected
        case .deadlineExceeded, .readTimeout, .writeTimeout: self = .timedOut
        case .cancelled: self = .cancelled
        case .invalidURL, .emptyHost, .emptyScheme: self = .invalidRequest
        default: self = .interrupted
        }
    }
}
