public import Contracts
public import Logging
public import NIOCore

/// What the chassis gives to a composition root: the clock, the generator, the network, and who this service is.
///
/// Production builds it from settings; tests and the simulation build it from virtual parts. Nothing else reaches a service from outside.
public struct Platform: Sendable {
    public let service: ServiceName
    public let settings: ServiceSettings
    public let time: TimeSource
    public let randomness: Randomness
    public let logger: Logger
    public let transport: HTTPTransport
    public let eventLoopGroup: any EventLoopGroup
    public let credentials: ServiceCredentials
    /// What `/metrics` shows.
    public let metrics: PrometheusRegistry

    public init(
        service: ServiceName, settings: ServiceSettings, time: TimeSource = .system, randomness: Randomness = .system, logger: Logger,
        transport: HTTPTransport, eventLoopGroup: any EventLoopGroup, metrics: PrometheusRegistry = PrometheusRegistry()
    ) {
        self.service = service
        self.settings = settings
        self.time = time
        self.randomness = randomness
        self.logger = logger
        self.transport = transport
        self.eventLoopGroup = eventLoopGroup
        self.metrics = metrics
        self.credentials = ServiceCredentials(secret: settings.serviceSecret, name: service.rawValue, time: time)
    }

    /// A client of another service, at the address that the settings give it.
    public func client(to other: ServiceName) -> ServiceClient {
        ServiceClient(
            to: other, baseURL: settings.addresses[other] ?? Self.standardAddress(of: other), transport: transport,
            credentials: credentials, time: time, randomness: randomness, logger: logger)
    }

    /// Verifies users against the keys that user-service publishes, and services against the shared secret.
    public func authenticator() -> Authenticator {
        authenticator(keys: .service(client(to: .users)))
    }

    /// The same with keys from elsewhere: user-service has its own at hand.
    public func authenticator(keys: KeySource) -> Authenticator {
        Authenticator(
            users: AccessTokenVerifier(issuer: settings.tokenIssuer, audience: settings.tokenAudience, keys: keys, time: time),
            services: ServiceTokenVerifier(secret: settings.serviceSecret, time: time))
    }

    private static func standardAddress(of service: ServiceName) -> String {
        "http://127.0.0.1:\(ServiceSettings.standardPortBase + service.portOffset)"
    }
}
