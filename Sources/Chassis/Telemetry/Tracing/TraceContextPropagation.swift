public import Tracing

private enum TraceContextKey: ServiceContextKey {
    typealias Value = TraceContext
    static let nameOverride: String? = "trace_context"
}

extension ServiceContext {
    /// The span that the current work belongs to; right after extracting from a request, the caller's span. Logs show it, outgoing calls carry it.
    public var traceContext: TraceContext? {
        get { self[TraceContextKey.self] }
        set { self[TraceContextKey.self] = newValue }
    }
}

/// The names of W3C Trace Context's headers, the same for HTTP and for events (CloudEvents' distributed tracing extension).
enum TraceHeader {
    static let parent = "traceparent"
    static let state = "tracestate"
}
