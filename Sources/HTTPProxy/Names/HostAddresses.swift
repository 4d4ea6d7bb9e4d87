/// The addresses that a name stands for. Two answers that say the same in another order are the same: servers like to turn them around.
struct HostAddresses: Hashable, Sendable, CustomStringConvertible {
    /// Of either family; what is beyond is left out, always the same.
    static let maximum = 256

    let ipv4: [String]
    let ipv6: [String]
    /// The system would use an IPv6 address first.
    let prefersIPv6: Bool

    /// - Parameter found: the best one first. Nil when there is none.
    init?(_ found: [String]) {
        guard let best = found.first else { return nil }
        prefersIPv6 = Self.isIPv6(best)
        ipv4 = Self.bounded(found.filter { !Self.isIPv6($0) })
        ipv6 = Self.bounded(found.filter(Self.isIPv6))
    }

    var description: String { (prefersIPv6 ? ipv6 + ipv4 : ipv4 + ipv6).joined(separator: ", ") }

    private static func isIPv6(_ address: String) -> Bool { address.contains(":") }

    private static func bounded(_ addresses: [String]) -> [String] { Array(Set(addresses).sorted().prefix(maximum)) }

    /// What `endpoint`, which bears the name, is then.
    ///
    /// IPv4 and IPv6 are two ways to the same machines, so the addresses of one family are taken: else each machine would be there twice, and where
    /// something listens on one family only, as most of what is on `localhost` does, half of the requests would find nobody. A name with one address of each
    /// is one machine, and stays one endpoint; which way leads there is found out for each connection.
    func endpoints(for endpoint: Endpoint, family: NameResolution.Family) -> [Endpoint] {
        let isIPv6 =
            switch family {
            case .system: prefersIPv6
            case .ipv4: ipv4.isEmpty
            case .ipv6: !ipv6.isEmpty
            }
        if family == .system, ipv4.count == 1, ipv6.count == 1 {
            return [Endpoint(name: endpoint.host, port: endpoint.port, ipv4: ipv4[0], ipv6: ipv6[0])]
        }
        return (isIPv6 ? ipv6 : ipv4).map { Endpoint(address: $0, port: endpoint.port, name: endpoint.host) }
    }
}

extension Cluster {
    /// The names whose addresses are its endpoints.
    var names: Set<String> { resolution == nil ? [] : Set(endpoints.filter { !$0.isAddress }.map(\.host)) }

    /// Its endpoints when names stand for these addresses; a name that is not among them for none. In the configuration's order, then in that of
    /// the addresses; what two names share is there once.
    func endpoints(_ addresses: [String: HostAddresses]) -> [Endpoint] {
        guard let resolution, !names.isEmpty else { return endpoints }
        var seen: Set<String> = []
        let found = endpoints.flatMap { endpoint in
            endpoint.isAddress ? [endpoint] : addresses[endpoint.host]?.endpoints(for: endpoint, family: resolution.family) ?? []
        }
        return found.filter { seen.insert($0.description).inserted }
    }
}
