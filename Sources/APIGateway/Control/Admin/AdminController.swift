import Chassis
import Commerce
import Contracts
import HTTPProxy
import HTTPTypes
import Hummingbird
import NIOCore

/// How the gateway is doing and what it goes by, for who runs it: only on the admin listener, which no route of the data plane leads to. All of it
/// is told in docs/gateway.md.
struct AdminController: Controller {
    let running: RunningGateway
    let settings: APIGateway.Settings
    let service: ServiceSettings
    let memory: RateLimitMemory
    /// Nil: limits are not shared.
    let sharing: SharedRateLimits?
    let metrics: GatewayMetrics
    let time: TimeSource
    let startedAt: Timestamp

    var routes: [Chassis.Route] {
        [
            .get("/admin/status", .anyone, guarded(status)),
            .get("/admin/clusters", .anyone, guarded(clusters)),
            .get("/admin/limits", .anyone, guarded { limits(try loaded()) }),
            .get("/admin/configuration", .anyone, guarded(configuration)),
        ]
    }

    private func guarded(_ document: @escaping @Sendable () async throws -> OrderedJSON) -> Chassis.Route.Handler {
        let access = AdminAccess(allowsRemote: settings.admin.allowsRemote)
        return { call in
            if let refusal = access.refusal(of: call.request.head) { throw refusal }
            return .json(
                bytes: ByteBuffer(bytes: try await document().bytes),
                headers: [.cacheControl: "no-store", .xContentTypeOptions: "nosniff"])
        }
    }

    // MARK: Documents

    @Sendable private func status() async throws -> OrderedJSON {
        let (loaded, now) = (try loaded(), time.now)
        let status = try await proxyStatus()
        return [
            "service": .string(ServiceName.gateway.rawValue), "version": .string(SoukVersion.current),
            "time": .time(now), "startedAt": .time(startedAt),
            "draining": .bool(status.isDraining), "eventLoops": .number(status.eventLoops),
            "clientConnections": .number(status.clientConnections), "activeRequests": .number(status.activeRequests),
            "cache": [
                "entries": .number(status.cache.entries), "bytes": .number(status.cache.bytes), "capacity": .number(status.cache.capacity),
            ],
            "configuration": .object(source(of: loaded)),
            "clusters": .array(status.clusters.map { $0.document(at: now) }),
            "rateLimits": limits(loaded),
        ]
    }

    @Sendable private func clusters() async throws -> OrderedJSON {
        let now = time.now
        return .array(try await proxyStatus().clusters.map { $0.document(at: now) })
    }

    private func limits(_ loaded: RunningGateway.Loaded) -> OrderedJSON {
        let limits = loaded.configuration.routes.flatMap { route in
            route.rateLimits.map { limit in
                let refused = OrderedJSON.Member(name: "refused", value: .number(metrics.refused(route: route.name, limit: limit.name)))
                return OrderedJSON.object([.init(name: "route", value: .string(route.name))] + limit.document.members + [refused])
            }
        }
        return [
            "enabled": .bool(settings.limitsRates),
            "memory": ["callers": .number(memory.callers()), "capacity": .number(memory.capacity)],
            "sharing": sharing.map(Self.document) ?? .null,
            "limits": .array(limits),
        ]
    }

    private static func document(_ sharing: SharedRateLimits) -> OrderedJSON {
        let status = sharing.status
        return ["store": .string("\(sharing.server)"), "shared": .bool(status.isShared), "failure": .text(status.failure)]
    }

    @Sendable private func configuration() async throws -> OrderedJSON {
        let loaded = try loaded()
        return .object(
            source(of: loaded) + [
                .init(name: "settings", value: settingsDocument), .init(name: "configuration", value: loaded.configuration.document),
            ])
    }

    /// Where the configuration comes from, and whether the file says something else by now.
    private func source(of loaded: RunningGateway.Loaded) -> [OrderedJSON.Member] {
        let failure = running.failure.map { ["time": .time($0.at), "error": .string($0.sentence)] as OrderedJSON }
        return [
            .init(name: "file", value: .text(settings.configurationFile)), .init(name: "loadedAt", value: .time(loaded.at)),
            .init(name: "loads", value: .number(loaded.count)), .init(name: "failure", value: failure ?? .null),
        ]
    }

    /// By the names of their variables. None of them is secret.
    private var settingsDocument: OrderedJSON {
        [
            "HOST": .string(service.host), "PORT": .number(service.port), "ADMIN_HOST": .string(settings.admin.host),
            "ADMIN_PORT": .number(settings.admin.port), "ADMIN_ALLOW_REMOTE": .string(settings.admin.allowsRemote ? "on" : "off"),
            "GATEWAY_THREADS": .number(settings.threads), "ACCESS_LOG": .string(settings.accessLog.rawValue),
            "RATE_LIMITS": .string(settings.limitsRates ? "on" : "off"), "RATE_LIMIT_ENTRIES": .number(settings.rateLimitEntries),
            "RATE_LIMIT_STORE": .text(settings.rateLimitStore.map { "\($0.server)" }),
            "RATE_LIMIT_INTERVAL_SECONDS": settings.rateLimitStore.map { .seconds(TimeAmount($0.interval)) } ?? .null,
            "TRUSTED_PROXIES": .string(settings.trustedProxies),
            "DRAIN_SECONDS": .seconds(.milliseconds(service.drainTimeout.wholeMilliseconds)),
        ]
    }

    // MARK: What is asked

    private func loaded() throws(Problem) -> RunningGateway.Loaded {
        guard let loaded = running.loaded else { throw Self.notRunning }
        return loaded
    }

    private func proxyStatus() async throws(Problem) -> ProxyStatus {
        guard let status = await running.status() else { throw Self.notRunning }
        return status
    }

    private static let notRunning = Problem(.serviceUnavailable, "not-running", "The data plane does not run: it is starting, or has ended")
}
