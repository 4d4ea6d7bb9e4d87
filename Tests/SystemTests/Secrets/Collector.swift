import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat
import Synchronization

/// Where a shop sends its traces (OTLP over HTTP) and its text messages (Twilio's API): keeps every body.
final class Collector: Controller {
    private static let bodyLimitBytes = 16 << 20
    private let bodies = Mutex<[Data]>([])

    var received: [Data] { bodies.withLock { $0 } }

    var routes: [Chassis.Route] {
        [
            Chassis.Route(.post, "/v1/traces", .anyone, bodyLimitBytes: Self.bodyLimitBytes, take),
            .post("/2010-04-01/Accounts/{account}/Messages.json", .anyone, take),
        ]
    }

    @Sendable private func take(_ call: Call) async throws -> Response {
        let body = Data(buffer: try await call.bodyBytes())
        bodies.withLock { $0.append(body) }
        return Response(status: .ok)
    }

    /// Runs `body` with a collector and its address.
    static func run(_ body: @escaping @Sendable (Collector, String) async throws -> Void) async throws {
        let collector = Collector()
        let harness = try ServiceHarness(.gateway)
        var service = Chassis.Service(.gateway, authenticator: harness.platform.authenticator())
        service.add(collector)
        try await harness.run(service) { client in try await body(collector, client.baseURL) }
    }
}
