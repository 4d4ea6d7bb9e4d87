import Foundation
import HTTPTypes
import Logging
import ServiceLifecycle
import Tracing

/// Installs the process's tracer: one that sends spans to `OTEL_EXPORTER_OTLP_ENDPOINT`, or, without that, one that only passes the trace on.
enum TracingSetup {
    private static let postTimeout = Duration.seconds(10)

    /// Returns what must run for spans to be sent; nil when none are.
    static func bootstrap(_ settings: ServiceSettings, service: String, transport: HTTPTransport, logger: Logger) -> (
        any ServiceLifecycle.Service
    )? {
        guard let endpoint = settings.traceEndpoint else {
            InstrumentationSystem.bootstrap(OTLPTracer.propagating())
            return nil
        }
        let buffer = SpanBuffer()
        InstrumentationSystem.bootstrap(OTLPTracer(sampler: TraceSampler(ratio: settings.traceRatio), buffer: buffer))
        let instance = "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
        return OTLPExporter(
            buffer: buffer, resource: OTLPResource(service: service, version: SoukVersion.current, instance: instance), logger: logger
        ) { path, headers, body in
            // The transport itself makes no spans: only `ServiceClient` does.
            let request = OutboundRequest(method: .post, url: endpoint + path, headers: headers, body: Data(body))
            return try await transport.send(request, timeout: postTimeout).status.code
        }
    }
}
