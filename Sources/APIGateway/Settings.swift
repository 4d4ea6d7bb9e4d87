public import Chassis
import Foundation
import NIOCore

extension APIGateway {
    private enum Switch: String, CaseIterable {
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
        /// Nil: each gateway limits by itself.
        public var rateLimitStore: RateLimitStore?
        /// Where the control plane listens.
        public var admin = AdminListener()
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
                    "rate.limits", default: Switch.on, "Whether rate limits hold; off when something before the gateway limits.")
                == .on
            rateLimitEntries = reader.integer(
                "rate.limit.entries", default: 65_536, in: 512...16_777_216, "Callers whose requests are counted at most, 16 bytes each.")
            rateLimitStore = RateLimitStore(reader)
            admin = Self.admin(reader)
        }

        private static func admin(_ reader: SettingsReader) -> AdminListener {
            var admin = AdminListener()
            admin.host = reader.text("admin.host", default: admin.host, "Where the admin listener listens: on this machine only.")
            admin.port = reader.integer(
                "admin.port", default: admin.port, in: 0...65535, "The port of the admin listener; 0 picks a free one, which the log tells."
            )
            admin.allowsRemote =
                reader.choice("admin.allow.remote", default: Switch.off, "Whether other machines may reach the admin listener.") == .on
            if let mistake = admin.mistake { reader.mistake(mistake) }
            return admin
        }

        /// Reads and checks the configuration as it is now.
        func configuration(variables: [String: String]) throws -> GatewayConfiguration {
            let variables = variables.merging(["TRUSTED_PROXIES": trustedProxies]) { $1 }
            guard let configurationFile else { return try GatewayConfiguration(yaml: StandardConfiguration.yaml, variables: variables) }
            let text = try String(contentsOfFile: configurationFile, encoding: .utf8)
            do {
                return try GatewayConfiguration(yaml: text, variables: variables)
            } catch let error as GatewayConfigurationError {
                // It may repeat a text that is wrong, which may be a secret.
                let secrets = ConfigurationSecrets(usedIn: text, variables: variables)
                throw SettingsError(sentences: [secrets.redacting("\(configurationFile), \(error)")])
            }
        }
    }
}
