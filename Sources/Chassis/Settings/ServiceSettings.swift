public import Contracts
import Foundation
public import Logging

/// What every service can be told: where it listens, how it logs, where the others are.
public struct ServiceSettings: Sendable {
    public var host: String
    /// 0 picks a free port.
    public var port: Int
    public var logLevel: Logger.Level
    public var logFormat: LogFormat
    /// Shared by the parts of one Souk; signs the tokens that they show each other.
    public var serviceSecret: ServiceSecret
    /// Whether nobody set the secret: then no other service can call this one.
    public var serviceSecretIsGenerated: Bool
    public var addresses: [ServiceName: String]
    /// How long a request or job that is under way at shutdown may take to finish.
    public var drainTimeout: Duration
    /// Customers' requests that are worked on at a time; further ones get a 503.
    public var maximumConcurrentRequests: Int
    /// Where traces go (OTLP over HTTP); nil sends none.
    public var traceEndpoint: String?
    /// Which part of the traces that begin here is sent, 0…1.
    public var traceRatio: Double
    /// The `iss` of access tokens.
    public var tokenIssuer: String
    /// The `aud` of access tokens.
    public var tokenAudience: String
    public var retention: RetentionSettings

    public init(
        host: String = "127.0.0.1", port: Int = 0, logLevel: Logger.Level = .info, logFormat: LogFormat = .auto,
        serviceSecret: ServiceSecret, serviceSecretIsGenerated: Bool = false, addresses: [ServiceName: String] = [:],
        drainTimeout: Duration = .seconds(20), maximumConcurrentRequests: Int = Self.standardConcurrency,
        traceEndpoint: String? = nil, traceRatio: Double = 1,
        tokenIssuer: String = AccessTokenClaims.standardIssuer, tokenAudience: String = AccessTokenClaims.standardAudience,
        retention: RetentionSettings = RetentionSettings()
    ) {
        self.host = host
        self.port = port
        self.logLevel = logLevel
        self.logFormat = logFormat
        self.serviceSecret = serviceSecret
        self.serviceSecretIsGenerated = serviceSecretIsGenerated
        self.addresses = addresses
        self.drainTimeout = drainTimeout
        self.maximumConcurrentRequests = maximumConcurrentRequests
        self.traceEndpoint = traceEndpoint
        self.traceRatio = traceRatio
        self.tokenIssuer = tokenIssuer
        self.tokenAudience = tokenAudience
        self.retention = retention
    }

    public static let standardPortBase = 3000
    public static let standardConcurrency = 512

    public init(_ reader: SettingsReader, for service: ServiceName) throws {
        host = reader.text("host", default: "127.0.0.1", "The address to listen on; 0.0.0.0 for all.")
        port = reader.integer(
            "port", default: Self.standardPortBase + service.portOffset, in: 0...65535, "The port to listen on; 0 picks a free one.")
        logLevel = reader.choice("log.level", default: Logger.Level.info, "The least severe messages to log.")
        logFormat = reader.choice("log.format", default: LogFormat.auto, "JSON lines, pretty for people, or by what the output is.")
        let secret = reader.secret(
            "service.secret", minimumLength: ServiceSecret.minimumLength, "Shared by all services: signs their tokens to each other.")
        serviceSecret = try ServiceSecret(secret ?? Randomness.system.hex(bytes: ServiceSecret.minimumLength))
        serviceSecretIsGenerated = secret == nil
        addresses = [:]
        for other in ServiceName.allCases {
            let key = other.addressVariable.lowercased().replacingOccurrences(of: "_", with: ".")
            let standard = "http://127.0.0.1:\(Self.standardPortBase + other.portOffset)"
            addresses[other] = reader.httpURL(key, default: standard, "Where \(other.rawValue) is.")
        }
        if reader.optionalText("broker.url", "A message broker; this version has none and carries events by the HTTP feed.") != nil {
            reader.mistake("BROKER_URL (--broker-url) must not be set: this version carries events by the HTTP feed only.")
        }
        drainTimeout = reader.seconds("drain.seconds", default: 20, in: 0...600, "How long work under way at shutdown may take.")
        maximumConcurrentRequests = reader.integer(
            "maximum.concurrent.requests", default: Self.standardConcurrency, in: 1...100_000,
            "Customers' requests that are worked on at a time; further ones get a 503.")
        traceEndpoint = reader.optionalHTTPURL("otel.exporter.otlp.endpoint", "Where traces go (OTLP over HTTP); unset sends none.")
        traceRatio = reader.fraction("otel.traces.sampler.arg", default: 1, "Which part of the traces that begin here is sent.")
        tokenIssuer = reader.text("token.issuer", default: AccessTokenClaims.standardIssuer, "The issuer of access tokens.")
        tokenAudience = reader.text("token.audience", default: AccessTokenClaims.standardAudience, "The audience of access tokens.")
        retention = RetentionSettings(reader)
    }
}
