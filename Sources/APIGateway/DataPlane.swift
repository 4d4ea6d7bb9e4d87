import Chassis
import Commerce
import Foundation
import HTTPProxy
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The proxy as a background service: starts when the control plane can be reached, reloads its configuration on SIGHUP and when a
/// file of it has changed, and drains at the end.
struct DataPlane: ServiceLifecycle.Service {
    let settings: APIGateway.Settings
    let variables: [String: String]
    let platform: Platform
    let authenticator: Authenticator
    let observer: ProxyObserver
    let metrics: GatewayMetrics
    let running: RunningGateway
    /// Lives as long as the process: a new configuration forgives nobody.
    let rateLimitMemory: RateLimitMemory
    /// Yields the control plane's port once it listens.
    let controlPort: AsyncStream<Int>

    func run() async throws {
        var ports = controlPort.makeAsyncIterator()
        guard let port = await ports.next() else { return }
        let control = settings.admin.endpoint(port: port)
        // Before they are read, so that no change is missed.
        let files = filesNow()
        let configuration = try settings.configuration(variables: variables)
        let proxy = try await ProxyServer(
            configuration: proxyConfiguration(configuration, control), threads: settings.threads, observer: observer,
            logger: platform.logger)
        let listening = try await start(proxy)
        running.begin(proxy, with: configuration)
        settings.whenListening(listening)
        // One after another, so that what was read last is in force, and on every event loop.
        let (changes, changed) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in await UnixSignalsSequence(trapping: .sighup) { changed.yield() } }
            group.addTask { await watch(files) { changed.yield() } }
            group.addTask { for await _ in changes { await reload(proxy, control) } }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        try await proxy.drain(within: .milliseconds(platform.settings.drainTimeout.wholeMilliseconds))
    }

    private func start(_ proxy: ProxyServer) async throws -> Int {
        let (host, port) = (platform.settings.host, platform.settings.port)
        let listening = try await ListenError.naming(host: host, port: port) { try await proxy.start(host: host, port: port) }
        platform.logger.info("gateway listening", metadata: ["host": "\(host)", "port": "\(listening)"])
        return listening
    }

    /// Looks at the files once a second. A file that was only half written then is a mistake now and is read again when it has changed again.
    private func watch(_ files: ConfigurationFiles?, _ hasChanged: () -> Void) async {
        guard var known = files else { return }
        while (try? await platform.time.sleep(for: .seconds(1))) != nil {
            guard known.now != known else { continue }
            known = filesNow() ?? known
            hasChanged()
        }
    }

    /// Nil without a file. What cannot be read names no other files; whoever then uses it says what is wrong.
    private func filesNow() -> ConfigurationFiles? {
        settings.configurationFile.map { ConfigurationFiles($0, of: try? settings.configuration(variables: variables)) }
    }

    /// A file with a mistake changes nothing: what runs goes on.
    private func reload(_ proxy: ProxyServer, _ control: Endpoint) async {
        do {
            let configuration = try settings.configuration(variables: variables)
            try await proxy.reload(proxyConfiguration(configuration, control))
            running.adopt(configuration)
            platform.logger.info("configuration reloaded")
        } catch {
            running.reject(error)
            platform.logger.error("configuration not reloaded", metadata: ["error": "\(error)"])
        }
    }

    /// The file's routes, and those of the control plane.
    private func proxyConfiguration(_ configuration: GatewayConfiguration, _ control: Endpoint) -> ProxyConfiguration {
        let control = Cluster(name: "control", endpoints: [control])
        let routes = configuration.routes.map(route) + Self.controlRoutes
        var proxy = ProxyConfiguration(
            clusters: configuration.clusters + [control], routes: routes, trustedProxies: configuration.trustedProxies,
            reservedHeaderPrefixes: ["x-souk-"], limits: configuration.limits)
        proxy.tls = configuration.tls
        proxy.http2 = configuration.http2
        proxy.cacheBytes = configuration.cacheBytes
        return proxy
    }

    private func route(_ entry: GatewayConfiguration.RouteEntry) -> HTTPProxy.Route {
        var route = HTTPProxy.Route(
            name: entry.name, host: entry.host, methods: entry.methods, headers: entry.headers, path: entry.path, rewrite: entry.rewrite,
            target: entry.target, timeouts: entry.timeouts, retries: entry.retries, maximumBodyBytes: entry.maximumBodyBytes,
            policies: policies(of: entry))
        route.upgrades = entry.upgrades
        route.cors = entry.cors
        route.addsSecurityHeaders = entry.addsSecurityHeaders
        route.compression = entry.compression
        route.cache = entry.cache
        return route
    }

    /// Limits by where a request comes from hold before anybody looks at its token, so that guessing at tokens is limited, too; those by who
    /// sends it come after.
    private func policies(of entry: GatewayConfiguration.RouteEntry) -> [any RequestPolicy] {
        var policies: [any RequestPolicy] = []
        func limit(by keys: Set<RateLimit.Key>) {
            let limits = entry.rateLimits.filter { keys.contains($0.key) }
            guard settings.limitsRates, !limits.isEmpty else { return }
            policies.append(
                RateLimitPolicy(
                    limits, of: entry.name, memory: rateLimitMemory, typePrefix: "urn:souk:problem:",
                    onRefusal: { [metrics] in metrics.limited(route: entry.name, limit: $0) }))
        }
        limit(by: [.address, .route])
        if entry.authentication != .none {
            policies.append(
                TokenPolicy(
                    authentication: entry.authentication, roles: entry.roles, namesUser: entry.namesUser, authenticator: authenticator))
        }
        limit(by: [.user, .token])
        return policies
    }

    private static let controlRoutes =
        ["/health", "/live", "/ready", "/metrics"].map { controlRoute($0, ["GET"]) }
        + ["/openapi.json", "/docs", "/docs/{file}"].map { controlRoute($0, ["GET", "HEAD"]) }

    private static func controlRoute(_ path: String, _ methods: Set<String>) -> HTTPProxy.Route {
        HTTPProxy.Route(name: "control-\(path.dropFirst())", methods: methods, path: .template(path), target: .cluster("control"))
    }
}
