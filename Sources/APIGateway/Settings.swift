public import Chassis
import Foundation
import NIOCore

extension APIGateway {
    public struct Settings: Sendable {
        /// A YAML file; nil for the routes of a Souk shop.
        public var configurationFile: String?
        /// Event loops of the data plane.
        public var threads: Int
        public var accessLog: AccessLogFormat
        /// Told the port of the data plane once it listens: what a port of 0 has become.
        public var whenListening: @Sendable (_ port: Int) -> Void = { _ in }

        public init(configurationFile: String? = nil, threads: Int = 1, accessLog: AccessLogFormat = .none) {
            self.configurationFile = configurationFile
            self.threads = threads
            self.accessLog = accessLog
        }

        public init(_ reader: SettingsReader) {
            configurationFile = reader.optionalText("gateway.configuration", "A YAML file with routes; unset for those of a Souk shop.")
            threads = reader.integer("gateway.threads", default: System.coreCount, in: 1...256, "Event loops of the data plane.")
            accessLog = reader.choice("access.log", default: AccessLogFormat.json, "How each request is written to standard output.")
        }

        /// Reads and checks the configuration as it is now.
        func configuration(variables: [String: String]) throws -> GatewayConfiguration {
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
