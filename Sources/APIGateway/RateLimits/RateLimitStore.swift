import Chassis
import Foundation
public import HTTPProxy

extension APIGateway {
    /// Where gateways that hold their rate limits together tell each other what was taken.
    public struct RateLimitStore: Sendable {
        public var server: RedisAddress
        /// The same in all of them. By it callers have names there that say nothing about them.
        public var secret: String
        public var interval: Duration

        public init(server: RedisAddress, secret: String, interval: Duration = .milliseconds(100)) {
            self.server = server
            self.secret = secret
            self.interval = interval
        }

        /// Nil: each gateway limits by itself.
        init?(_ reader: SettingsReader) {
            let url = reader.secret(
                "rate.limit.store",
                "The Redis server through which gateways share their rate limits: redis://[[user]:password@]host[:port][/database].")
            let secret = reader.secret("rate.limit.secret", minimumLength: 16, "What gateways that share their rate limits have in common.")
            interval = reader.seconds("rate.limit.interval.seconds", default: 0.1, in: 0.01...1, "How often shared rate limits are told.")
            guard let url else { return nil }
            guard let server = RedisAddress(url: url) else {
                reader.mistake(
                    "RATE_LIMIT_STORE (--rate-limit-store) must be redis://[[user]:password@]host[:port][/database], or rediss:// over TLS."
                )
                return nil
            }
            guard let secret else {
                reader.mistake("RATE_LIMIT_STORE needs RATE_LIMIT_SECRET, the same in all gateways that share it.")
                return nil
            }
            (self.server, self.secret) = (server, secret)
        }
    }
}

extension RedisAddress {
    /// `redis://[[user]:password@]host[:port][/database]`, with `rediss` over TLS (the schemes that IANA has registered). Of what is written with `%` in
    /// user and password, such as `%40` for `@`, the characters themselves are meant. Nil when it is something else.
    init?(url text: String) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), ["redis", "rediss"].contains(scheme),
            let host = url.host, !host.isEmpty, url.query == nil, url.fragment == nil
        else { return nil }
        let path = url.path.drop { $0 == "/" }
        let port = url.port ?? 6379
        guard let database = path.isEmpty ? 0 : Int(path), (0...65_535).contains(database), (1...65_535).contains(port) else { return nil }
        let user = url.user.flatMap { $0.isEmpty ? nil : $0 }
        let password = url.password.flatMap { $0.isEmpty ? nil : $0 }
        // A name alone signs nobody in.
        guard user == nil || password != nil else { return nil }
        self.init(
            // Without the brackets that an IPv6 address has in a URL.
            host: host.trimmingCharacters(in: ["[", "]"]), port: port, database: database, isSecure: scheme == "rediss", user: user,
            password: password)
    }
}
