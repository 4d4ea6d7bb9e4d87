import Chassis
import Contracts
import HTTPTypes

/// Asks every service whether it is ready until all are.
struct Readiness: Sendable {
    private static let interval = Duration.milliseconds(15)

    let shop: RunningShop
    let directory: DataDirectory
    let transport: HTTPTransport

    func waitForAll(within limit: Duration) async throws {
        let end = ContinuousClock.now + limit
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in Fleet.services {
                group.addTask { try await self.wait(for: service, until: end) }
            }
            while try await group.next() != nil {}
        }
    }

    private func wait(for service: ServiceName, until end: ContinuousClock.Instant) async throws {
        while await !isReady(service) {
            guard ContinuousClock.now < end else { throw ShopError.stillUnhealthy(await description(of: service)) }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func description(of service: ServiceName) async -> String {
        let trouble = await ServiceHealth.read(service, of: shop, in: directory, transport).trouble
        return "\(service.rawValue) at \(shop.address(of: service)): \(trouble ?? "is healthy by now")"
    }

    /// The gateway is ready when all that it routes to is.
    private func isReady(_ service: ServiceName) async -> Bool {
        let path = service == .gateway ? "/health" : "/ready"
        let request = OutboundRequest(method: .get, url: shop.address(of: service) + path, headers: [:], body: nil)
        guard let response = try? await transport.send(request, timeout: .seconds(2)) else { return false }
        return response.status == .ok
    }
}
