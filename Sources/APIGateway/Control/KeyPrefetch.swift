import Chassis
import ServiceLifecycle

/// Has the user service's keys before the first token comes, and keeps them fresh.
struct KeyPrefetch: ServiceLifecycle.Service {
    let users: AccessTokenVerifier

    func run() async throws {
        await cancelWhenGracefulShutdown { await users.keepKeysFresh() }
    }
}
