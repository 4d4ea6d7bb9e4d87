import HTTPTypes
import Hummingbird
import Metrics
import NIOCore

/// `/metrics`: what this process counts, in Prometheus' text format.
struct MetricsController: Controller {
    let registry: PrometheusRegistry
    /// Done before each answer.
    let sampling: [@Sendable () async -> Void]

    var routes: [Route] {
        [.get("/metrics", .anyone, metrics)]
    }

    private func metrics(_ call: Call) async throws -> Response {
        for sample in sampling { await sample() }
        return Response(
            status: .ok, headers: [.contentType: PrometheusRegistry.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: registry.render())))
    }
}
