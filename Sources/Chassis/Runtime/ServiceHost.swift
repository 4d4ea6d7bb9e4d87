import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
public import ServiceLifecycle
public import UnixSignals

// How a service lives and ends.
//
// The group's services are started in order and, at SIGTERM or SIGINT, told to stop in the opposite order, each only after the one before
// it has ended. So the order below is the order of the end, read from the bottom up:
//
//   closing      the database and the network are closed, last of all
//   exporter     the last traces are sent
//   background   consumers and jobs finish what they hold
//   server       stops accepting and finishes the requests under way
//   front        what brings the routes their requests ends: the gateway's data plane drains
//   drain        `/ready` says no, so that nobody sends more
//
// Should one of them hang, the group's own limit (the drain timeout) ends the process. A kill at any moment loses nothing that a client
// was told: what matters is in a database before it is said.

/// Runs a service until it is told to stop.
public struct ServiceHost: ServiceLifecycle.Service {
    private let service: Service
    private let platform: Platform
    private let health: Health
    private let exporter: (any ServiceLifecycle.Service)?
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameters:
    ///   - exporter: sends traces; ends after all that makes them.
    ///   - onListening: called once, with the port, when the service can be reached.
    public init(
        _ service: Service, platform: Platform, exporter: (any ServiceLifecycle.Service)? = nil,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.exporter = exporter
        self.service = service
        self.platform = platform
        self.onListening = onListening
        health = Health(checks: service.checks)
    }

    /// All that the service answers: its own routes, and those that every service has, but where it has its own at the same path.
    public var routes: [Route] {
        let own = Set(service.routes.map(\.path))
        let common =
            HealthController(service: service.name, health: health).routes
            + MetricsController(registry: platform.metrics, sampling: service.sampling).routes
        return common.filter { !own.contains($0.path) } + service.routes
    }

    /// Runs until the surrounding group is told to stop.
    public func run() async throws {
        try await run(gracefulShutdownSignals: [])
    }

    /// Runs until one of these signals arrives, or the surrounding group is told to stop.
    public func run(gracefulShutdownSignals: [UnixSignal]) async throws {
        let services: [any ServiceLifecycle.Service] =
            [Closing(actions: service.closing)] + (exporter.map { [$0] } ?? []) + service.background
            + [server, ClockReport(time: platform.time, logger: platform.logger)] + service.front + [Draining(health: health)]
        var configuration = ServiceGroupConfiguration(
            services: services.map(Self.named), gracefulShutdownSignals: gracefulShutdownSignals, logger: platform.logger)
        configuration.maximumGracefulShutdownDuration = platform.settings.drainTimeout
        try await ServiceGroup(configuration: configuration).run()
    }

    /// The group tells its log and its errors which service has ended. Unless it is given a name, that is everything that the value holds, settings
    /// and their secrets included.
    private static func named(_ service: any ServiceLifecycle.Service) -> ServiceGroupConfiguration.ServiceConfiguration {
        .init(service: service, serviceName: String(describing: type(of: service)))
    }

    private var server: some ServiceLifecycle.Service {
        let address = service.address ?? Service.Address(host: platform.settings.host, port: platform.settings.port)
        return Listening(server: application(at: address), host: address.host, port: address.port)
    }

    private func application(at address: Service.Address) -> some ServiceLifecycle.Service {
        let responder = ServiceResponder(routes: routes, authenticator: service.authenticator, platform: platform)
        return Application(
            responder: responder,
            // Idle connections are kept a little longer than callers keep theirs, so that it is the caller who closes.
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(75), httpDecoderConfiguration: .init(maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 200))),
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port), backlog: 1024),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? address.port
                platform.logger.info("listening", metadata: ["host": "\(address.host)", "port": "\(port)"])
                for action in service.listening { action(port) }
                onListening(port)
            },
            eventLoopGroupProvider: .shared(platform.eventLoopGroup),
            logger: platform.logger)
    }
}

/// A server whose address is named when it cannot be had.
private struct Listening<Server: ServiceLifecycle.Service>: ServiceLifecycle.Service {
    let server: Server
    let host: String
    let port: Int

    func run() async throws {
        try await ListenError.naming(host: host, port: port) { try await server.run() }
    }
}

/// The first to be told to stop: says to the world that this service takes nothing new.
private struct Draining: ServiceLifecycle.Service {
    let health: Health

    func run() async throws {
        try await gracefulShutdown()
        health.startDraining()
    }
}

/// The last to be told to stop: closes what the others used.
private struct Closing: ServiceLifecycle.Service {
    let actions: [@Sendable () async -> Void]

    func run() async throws {
        try? await gracefulShutdown()
        for close in actions { await close() }
    }
}
