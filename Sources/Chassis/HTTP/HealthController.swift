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
        /// Why, by the name of what fails.
        var reasons: [String: String]?

        init(_ status: String, of service: ServiceName, _ failures: [Health.Failure] = []) {
            self.status = status
            self.service = service.rawValue
            guard !failures.isEmpty else { return }
            failing = failures.map(\.name)
            reasons = Dictionary(failures.map { ($0.name, $0.reason) }) { first, _ in first }
        }
    }

    /// The process answers: that is all.
    private func live(_ call: Call) async throws -> Response {
        try .json(Report("alive", of: service))
    }

    private func ready(_ call: Call) async throws -> Response {
        let failures = await health.failures()
        guard !failures.isEmpty else { return try .json(Report("ready", of: service)) }
        return try .json(Report("not ready", of: service, failures), status: .serviceUnavailable)
    }

    private func overall(_ call: Call) async throws -> Response {
        let failures = await health.failures()
        guard !failures.isEmpty else { return try .json(Report("healthy", of: service)) }
        return try .json(Report("unhealthy", of: service, failures), status: .serviceUnavailable)
    }
}
