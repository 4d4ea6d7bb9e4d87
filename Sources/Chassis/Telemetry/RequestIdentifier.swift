public import Tracing

private enum RequestIDKey: ServiceContextKey {
    typealias Value = String
    static let nameOverride: String? = "request_id"
}

extension ServiceContext {
    /// The `X-Request-Id` of the request being answered: on every log line written meanwhile, and passed on to the services it calls.
    public var requestID: String? {
        get { self[RequestIDKey.self] }
        set { self[RequestIDKey.self] = newValue }
    }
}
