import HTTPTypes
import Tracing

/// Ties a request to the trace that its caller is in: the `traceparent` that came with it is the parent of what is done here.
enum RequestTracing {
    /// Runs `body` in a server span whose parent the headers name; its name is the route, known at the end.
    static func withSpan<Result>(
        of request: HTTPFields, requestID: String, _ body: (any Span) async -> Result
    ) async -> Result {
        var context = ServiceContext.topLevel
        context.requestID = requestID
        InstrumentationSystem.instrument.extract(request, into: &context, using: HeaderExtractor())
        return await Tracing.withSpan("request", context: context, ofKind: .server) { span in await body(span) }
    }

    private struct HeaderExtractor: Extractor {
        func extract(key: String, from headers: HTTPFields) -> String? {
            HTTPField.Name(key).flatMap { headers[$0] }
        }
    }
}
