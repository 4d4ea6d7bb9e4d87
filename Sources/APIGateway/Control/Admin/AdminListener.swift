import HTTPProxy

/// Where the gateway's control plane listens: on this machine only, unless somebody has said so.
public struct AdminListener: Sendable, Hashable {
    public var host = "127.0.0.1"
    /// 0 picks a free one.
    public var port = 0
    /// Other machines may reach it.
    public var allowsRemote = false

    public init() {}

    /// What is wrong with it, as a sentence for who has set it.
    var mistake: String? {
        guard !allowsRemote, !Self.isLoopback(host) else { return nil }
        return "ADMIN_HOST (--admin-host) must be a loopback address such as 127.0.0.1, not “\(host)”: whoever reaches the admin listener "
            + "sees how the gateway is built. ADMIN_ALLOW_REMOTE=on allows it."
    }

    /// Where this process itself reaches it.
    func endpoint(port: Int) -> Endpoint {
        switch host {
        case "0.0.0.0": Endpoint(host: "127.0.0.1", port: port)
        case "::": Endpoint(host: "::1", port: port)
        default: Endpoint(host: host, port: port)
        }
    }

    /// - Parameter host: a name or an address, of IPv6 without brackets.
    static func isLoopback(_ host: String) -> Bool {
        host.lowercased() == "localhost" || loopback.contains { $0.contains(host) }
    }

    private static let loopback = ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }
}
