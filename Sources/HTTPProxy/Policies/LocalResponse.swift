public import NIOCore
public import NIOHTTP1

/// A complete response that the proxy gives without an upstream. Its length is stated by the proxy; it gets `X-Request-Id` like any other.
public struct LocalResponse: Sendable {
    public var status: HTTPResponseStatus
    /// Fields besides `Content-Length`, `Connection` and `X-Request-Id`, which the proxy writes.
    public var headers: HTTPHeaders
    public var body: ByteBuffer

    public init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A response with a text body.
    public init(status: HTTPResponseStatus, contentType: String, text: String) {
        self.init(status: status, headers: ["content-type": contentType], body: ByteBuffer(string: text))
    }
}
