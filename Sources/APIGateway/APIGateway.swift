public import Chassis
import Contracts
import Foundation
import HTTPProxy

/// The one entry to a shop. Its data plane is `HTTPProxy`; what is slow or rare is an ordinary service beside it, on a loopback port of its
/// own, which the data plane routes to.
public enum APIGateway {
    static let servicesBehind: [ServiceName] = [.users, .products, .orders, .payments, .notifications]

    public static func assemble(_ settings: Settings, _ platform: Platform) async throws -> Service {
        let variables = Self.variables(platform.settings)
        _ = try settings.configuration(variables: variables)
        let metrics = GatewayMetrics(platform.metrics)
        let gauges = GatewayGauges(platform.metrics)
        let running = RunningGateway(time: platform.time)
        let rateLimitMemory = RateLimitMemory(capacity: settings.rateLimitEntries)
        let sharing = settings.rateLimitStore.map {
            RateLimitSharing(rateLimitMemory, $0, metrics: metrics, logger: platform.logger)
        }
        let accessLog = AccessLog(format: settings.accessLog) { FileHandle.standardOutput.write(Data($0)) }
        var observer = ProxyObserver(exchange: { metrics.record($0) }, incident: { metrics.record($1, of: $0) })
        if settings.accessLog != .none { observer.access = { accessLog.record($0) } }
        let (controlPort, controlListens) = AsyncStream<Int>.makeStream()
        let users = AccessTokenVerifier(
            issuer: platform.settings.tokenIssuer, audience: platform.settings.tokenAudience, keys: .service(platform.client(to: .users)),
            time: platform.time)
        let authenticator = Authenticator(users: users, services: nil)

        var service = Service(.gateway, authenticator: authenticator)
        service.address = Service.Address(host: settings.admin.host, port: settings.admin.port)
        service.add(
            HealthOfAll(
                services: servicesBehind, address: { platform.settings.addresses[$0] ?? "" }, transport: platform.transport,
                time: platform.time))
        service.add(try Documentation())
        service.add(
            AdminController(
                running: running, settings: settings, service: platform.settings, memory: rateLimitMemory, sharing: sharing?.limits,
                metrics: metrics, time: platform.time, startedAt: platform.time.now))
        service.beforeMetrics { gauges.show(await GatewayGauges.Reading.of(running, rateLimitMemory, sharing?.limits)) }
        service.whenListening { controlListens.yield($0) }
        service.run(KeyPrefetch(users: users, running: running))
        if let sharing { service.run(sharing) }
        service.runInFront(
            DataPlane(
                settings: settings, variables: variables, platform: platform, authenticator: authenticator, observer: observer,
                metrics: metrics, running: running, rateLimitMemory: rateLimitMemory, controlPort: controlPort))
        service.atEnd { try? await accessLog.close() }
        return service
    }

    /// What `${NAME}` may stand for in a configuration: the environment, and where the services are.
    private static func variables(_ settings: ServiceSettings) -> [String: String] {
        var variables = ProcessInfo.processInfo.environment
        for (service, address) in settings.addresses { variables[service.addressVariable] = address }
        return variables
    }
}
