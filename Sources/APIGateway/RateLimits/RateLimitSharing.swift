import HTTPProxy
import Logging
import ServiceLifecycle

/// Tells the other gateways what was taken, and learns what they tell, as long as the gateway runs.
struct RateLimitSharing: ServiceLifecycle.Service {
    let limits: SharedRateLimits

    init(_ memory: RateLimitMemory, _ store: APIGateway.RateLimitStore, metrics: GatewayMetrics, logger: Logger) {
        limits = SharedRateLimits(
            memory, server: store.server, secret: store.secret, interval: store.interval, logger: logger, observe: { metrics.record($0) })
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await limits.run() }
    }
}
