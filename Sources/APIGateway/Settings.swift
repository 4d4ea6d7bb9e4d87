public import Chassis
import Foundation
import NIOCore

extension APIGateway {
    private enum RateLimits: String, CaseIterable {
        case on, off
    }

    public struct Settings: Sendable {
        /// A YAML file; nil for the routes of a Souk shop.
        public var configurationFile: String?
        /// Address ranges, with commas between: what `${TRUSTED_PROXIES}` stands for.
        public var trustedProxies = ""
        /// Event loops of the data plane.
        public var threads: Int
        public var accessLog: AccessLogFormat
        /// Whether the configuration's rate limits hold.
        public var limitsRates = true
        /// How many callers' requests are counted at most.
        public var rateLimitEntries = 65_536
        /// Told the port of the data plane once it listens: what a port of 0 has become.
        public var whenListening: @Sendable (_ port: Int) -> Void = { _ in }

        public init(configurationFile: String? = nil, threads: Int = 1, accessLog: AccessLogFormat = .none) {
            self.configurationFile = configurationFile
            self.threads = threads
            self.accessLog = accessLog
        }

        public init(_ reader: SettingsReader) {
            configurationFile = reader.optionalText("gateway.configuration", "A YAML file with routes; unset for those of a Souk shop.")
            trustedProxies = reader.text(
                "trusted.proxies", default: "", "Address ranges of proxies before the gateway, such as 10.0.0.0/8,192.168.0.1.")
            threads = reader.integer("gateway.threads", default: System.coreCount, in: 1...256, "Event loops of the data plane.")
            accessLog = reader.choice("access.log", default: AccessLogFormat.json, "How each request is written to standard output.")
            limitsRates =
                reader.choice(
                    "rate.limits", default: RateLimits.on, "Whether rate limits hold; off when something before the gateway limits.")
                == .on
            rateLimitEntries = reader.integer(
                "rate.limit.entries", default: 65_536, in: 512...16_777_216, "Callers whose requests are counted at most, 16 bytes each.")
        }

        /// Reads and checks the configuration as it is now.
        func configuration(variables: [String: String]) throws -> GatewayConfiguration {
            let variables = variables.merging(["TRUSTED_PROXIES": trustedProxies]) { $1 }
            guard let configurationFile else { return try GatewayConfiguration(yaml: StandardConfiguration.yaml, variables: variables) }
            do {
                let text = try String(contentsOfFile: configurationFile, encoding: .utf8)
                return try GatewayConfiguration(yaml: text, variables: variables)
            } catch let error as GatewayConfigurationError {
                throw SettingsError(sentences: ["\(configurationFile), \(error)"])
            }
        }
    }
}
