import Contracts
import Foundation
import HTTPTypes
import Logging
import Testing
import Tracing

@testable import Chassis

@Suite("What calls to other services leave in metrics and traces")
struct ClientTelemetryTests {
    private let clock = JumpingClock()
    private let registry = PrometheusRegistry(processMetrics: false)

    private func client(_ service: ScriptedService, tracer: (any Tracer)? = nil) -> ServiceClient {
        ServiceClient(
            to: .products, baseURL: "http://p", transport: service.transport, credentials: nil, time: clock.time, randomness: .system,
            policy: .standard, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            instruments: ClientInstruments(metrics: registry, tracer: tracer))
    }

    /// The value of the first line of the scrape that has all of these parts.
    private func value(_ parts: String...) -> String? {
        registry.render().split(separator: "\n").first { line in parts.allSatisfy { line.contains($0) } }?
            .split(separator: " ").last.map(String.init)
    }

    @Test("attempts are counted by service, route template and outcome, never by path; retries beside them")
    func attempts() async {
        let service = ScriptedService(clock, .status(503), .failure(.timedOut), .status(200))
        _ = try? await client(service).exchange(.get, "/internal/items/\(123_456)?q=\("secret")", idempotent: true)
        for outcome in ["5xx", "timeout", "2xx"] {
            #expect(value("http_client_request_duration_seconds_count", #"outcome="\#(outcome)""#, #"route="/internal/items/{}""#) == "1")
        }
        #expect(value("http_client_retries_total", #"service="product-service""#) == "2")
        #expect(!registry.render().contains("123456") && !registry.render().contains("secret"))
    }

    @Test("the state of the breaker shows: closed 0, half-open 1, open 2")
    func breakerState() async {
        let service = ScriptedService(clock, .failure(.notConnected))
        let client = client(service)
        #expect(value("http_client_breaker_state{") == "0")
        for _ in 0..<5 { _ = try? await client.exchange(.post, "/x", idempotent: false) }
        #expect(value("http_client_breaker_state{") == "2")
        service.answer(.status(200))
        clock.advance(by: .seconds(1))
        _ = try? await client.exchange(.post, "/x", idempotent: false)
        #expect(value("http_client_breaker_state{") == "1")
        _ = try? await client.exchange(.post, "/x", idempotent: false)
        #expect(value("http_client_breaker_state{") == "0")
    }

    @Test("the trace that the caller is in goes along, with a span of its own for each attempt")
    func traces() async throws {
        let tracer = OTLPTracer(sampler: TraceSampler(ratio: 1), buffer: SpanBuffer(capacity: 10, batchSize: 10), randomness: .system)
        let service = ScriptedService(clock, .status(503), .status(200))
        let client = client(service, tracer: tracer)
        let outer = try await tracer.withSpan("request") { span in
            _ = try await client.exchange(.get, "/x", idempotent: true)
            return span.context.traceContext
        }
        let header = try #require(HTTPField.Name("traceparent"))
        let sent = try service.requests.map { try #require(TraceContext(traceparent: $0.headers[header] ?? "", tracestate: nil)) }
        #expect(sent.count == 2)
        #expect(sent.allSatisfy { $0.traceID == outer?.traceID && $0.isSampled })
        #expect(Set(sent.map(\.spanID) + [outer?.spanID].compactMap(\.self)).count == 3)
    }
}
