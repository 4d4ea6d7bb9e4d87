import HTTPTypes
import Hummingbird
import Metrics
import NIOCore

/// `/metrics`: what this process counts, in Prometheus' text format.
struct MetricsController: Controller {
    let registry: PrometheusRegistry

    var routes: [Route] {
        [.get("/metrics", .anyone, metrics)]
    }

    private func metrics(_ call: Call) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusRegistry.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: registry.render())))
    }
}
