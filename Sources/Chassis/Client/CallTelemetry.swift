import Contracts
import HTTPTypes
import Metrics
import Tracing

/// Where calls are counted and traced; nil for what the process was bootstrapped with.
struct ClientInstruments: Sendable {
    var metrics: (any MetricsFactory)?
    var tracer: (any Tracer)?

    var effectiveMetrics: any MetricsFactory { metrics ?? MetricsSystem.factory }
    var effectiveTracer: any Tracer { tracer ?? InstrumentationSystem.tracer }
}

/// What is told about one attempt: a client span and a duration, under the names of OpenTelemetry's conventions. Routes are templates, never paths.
struct CallTelemetry: Sendable {
    let service: ServiceName
    let method: HTTPRequest.Method
    let route: String
    let instruments: ClientInstruments

    /// Begins the span of an attempt, and puts its trace context into `headers`.
    func startSpan(injectingInto headers: inout HTTPFields) -> any Span {
        let tracer = instruments.effectiveTracer
        let span = tracer.startAnySpan("\(method.rawValue) \(route)", ofKind: .client)
        span.attributes["http.request.method"] = method.rawValue
        span.attributes["peer.service"] = service.rawValue
        tracer.inject(span.context, into: &headers, using: HeaderInjector())
        return span
    }

    func end(_ span: any Span, _ result: Result<InboundResponse, CallFailure>) {
        switch result {
        case .success(let response):
            span.attributes["http.response.status_code"] = response.status.code
            if response.status.kind == .serverError { span.setStatus(SpanStatus(code: .error)) }
        case .failure(let failure):
            span.attributes["error.type"] = failure.label
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }

    func record(_ result: Result<InboundResponse, CallFailure>, duration: Duration) {
        let outcome =
            switch result {
            case .success(let response): "\(response.status.code / 100)xx"
            case .failure(let failure): failure.label
            }
        let (seconds, attoseconds) = duration.components
        Timer(label: "http.client.request.duration", dimensions: dimensions + [("outcome", outcome)], factory: instruments.effectiveMetrics)
            .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    func countRetry() {
        Counter(label: "http.client.retries", dimensions: dimensions, factory: instruments.effectiveMetrics).increment()
    }

    private var dimensions: [(String, String)] {
        [("service", service.rawValue), ("method", method.rawValue), ("route", route)]
    }

    private struct HeaderInjector: Injector {
        func inject(_ value: String, forKey key: String, into headers: inout HTTPFields) {
            guard let name = HTTPField.Name(key) else { return }
            headers[name] = value
        }
    }
}

/// Why one attempt has no response.
enum CallFailure: Error, Hashable {
    /// The circuit breaker let nothing out.
    case refused
    case transport(TransportError)

    var label: String {
        switch self {
        case .refused: "refused"
        case .transport(.notConnected): "connect"
        case .transport(.timedOut): "timeout"
        case .transport(.interrupted): "interrupted"
        case .transport(.replyTooLarge): "too-large"
        case .transport(.invalidRequest): "invalid"
        case .transport(.cancelled): "cancelled"
        }
    }
}
