/// Where a Redis server is, and how to sign in.
public struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an IP address.
    public var host: String
    public var port: Int
    public var database: Int
    /// Over TLS, with a certificate for `host` that an authority of the system's has signed.
    public var isSecure: Bool
    /// Nil: the server's default user.
    public var user: String?
    /// Nil: signs nobody in.
    public var password: String?

    public init(
        host: String, port: Int = 6379, database: Int = 0, isSecure: Bool = false, user: String? = nil, password: String? = nil
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.isSecure = isSecure
        self.user = user
        self.password = password
    }

    /// As a URL, without user and password.
    public var description: String {
        "\(isSecure ? "rediss" : "redis")://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
    }
}
