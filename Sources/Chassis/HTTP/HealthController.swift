import Contracts
import HTTPTypes
import Hummingbird

/// `/health` for people and the gateway, `/live` and `/ready` for an orchestrator.
struct HealthController: Controller {
    let service: ServiceName
    let health: Health

    var routes: [Route] {
        [
            .get("/health", .anyone, overall),
            .get("/live", .anyone, live),
            .get("/ready", .anyone, ready),
        ]
    }

    private struct Report: Encodable {
        let status: String
        let service: String
        var version = SoukVersion.current
        var failing: [String]?
    }

    /// The process answers: that is all.
    private func live(_ call: Call) async throws -> Response {
        try .json(Report(status: "alive", service: service.rawValue))
    }

    private func ready(_ call: Call) async throws -> Response {
        let failures = await health.failures()
        guard !failures.isEmpty else { return try .json(Report(status: "ready", service: service.rawValue)) }
        return try .json(Report(status: "not ready", service: service.rawValue, failing: failures), status: .serviceUnavailable)
    }

    private func overall(_ call: Call) async throws -> Response {
        let failures = await health.failures()
        guard !failures.isEmpty else { return try .json(Report(status: "healthy", service: service.rawValue)) }
        return try .json(Report(status: "unhealthy", service: service.rawValue, failing: failures), status: .serviceUnavailable)
    }
}
