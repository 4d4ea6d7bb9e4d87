import Chassis
import ServiceLifecycle

/// Has the user service's keys before the first token comes, and keeps them fresh; from the moment on at which a route asks for tokens: a gateway
/// without a shop has nobody to ask.
struct KeyPrefetch: ServiceLifecycle.Service {
    let users: AccessTokenVerifier
    let running: RunningGateway

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in running.asksForTokens { await users.keepKeysFresh() }
        }
    }
}
