import Chassis
import Commerce
import Contracts
import HTTPTypes
import Hummingbird

/// `/health` of the gateway: how every service behind it is. A sick one shows; the gateway itself answers all the same.
struct HealthOfAll: Controller {
    private static let probeTimeout = Duration.seconds(2)

    let services: [ServiceName]
    let address: @Sendable (ServiceName) -> String
    let transport: HTTPTransport
    let time: TimeSource

    var routes: [Route] {
        [.get("/health", .anyone, health)]
    }

    private struct Report: Encodable {
        let gateway: String
        let services: [ServiceHealth]
    }

    private struct ServiceHealth: Encodable {
        let name: String
        let url: String
        let status: String
        let latencyMs: Int64
    }

    private func health(_ call: Call) async throws -> Response {
        let found = await withTaskGroup(of: ServiceHealth.self) { group in
            for service in services {
                group.addTask { await probe(service) }
            }
            return await group.reduce(into: [:]) { $0[$1.name] = $1 }
        }
        return try .json(Report(gateway: "healthy", services: services.compactMap { found[$0.rawValue] }))
    }

    private func probe(_ service: ServiceName) async -> ServiceHealth {
        let start = time.monotonic
        let url = address(service)
        let request = OutboundRequest(method: .get, url: url + "/health", headers: [:], body: nil)
        let response = try? await transport.send(request, timeout: Self.probeTimeout)
        return ServiceHealth(
            name: service.rawValue, url: url, status: response?.status == .ok ? "healthy" : "unhealthy",
            latencyMs: (time.monotonic - start).wholeMilliseconds)
    }
}
