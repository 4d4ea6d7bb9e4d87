import Testing

@testable import HTTPProxy

@Suite("The addresses of a name")
struct HostAddressesTests {
    private static func endpoints(_ found: [String], _ family: NameResolution.Family = .system) throws -> [String] {
        let addresses = try #require(HostAddresses(found))
        return addresses.endpoints(for: Endpoint(host: "shop", port: 80), family: family).map(\.description)
    }

    @Test("each is an endpoint, in the same order whatever the order of the answer")
    func order() throws {
        #expect(try Self.endpoints(["10.0.0.3", "10.0.0.1", "10.0.0.2"]) == ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"])
        #expect(HostAddresses(["10.0.0.3", "10.0.0.1"]) == HostAddresses(["10.0.0.1", "10.0.0.3", "10.0.0.1"]))
        #expect(try Self.endpoints(["fd00::2", "fd00::1"]) == ["[fd00::1]:80", "[fd00::2]:80"])
    }

    @Test("of IPv4 and IPv6 those are used that the system puts first, or those that are asked for")
    func families() throws {
        let six = ["fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2"]
        #expect(try Self.endpoints(six) == ["[fd00::1]:80", "[fd00::2]:80"])
        #expect(try Self.endpoints(six.reversed()) == ["10.0.0.1:80", "10.0.0.2:80"])
        #expect(try Self.endpoints(six, .ipv4) == ["10.0.0.1:80", "10.0.0.2:80"])
        #expect(try Self.endpoints(six.reversed(), .ipv6) == ["[fd00::1]:80", "[fd00::2]:80"])
    }

    @Test("a family that is asked for and not there is done without")
    func otherFamily() throws {
        #expect(try Self.endpoints(["10.0.0.1"], .ipv6) == ["10.0.0.1:80"])
        #expect(try Self.endpoints(["fd00::1"], .ipv4) == ["[fd00::1]:80"])
    }

    @Test("a name with one address of each family is one machine, known by its name")
    func oneMachine() throws {
        #expect(try Self.endpoints(["::1", "127.0.0.1"]) == ["shop:80"])
        #expect(try Self.endpoints(["::1", "127.0.0.1"], .ipv4) == ["127.0.0.1:80"])
        #expect(try Self.endpoints(["::1", "127.0.0.1"], .ipv6) == ["[::1]:80"])
        // Another machine of that name is another endpoint.
        let one = try #require(HostAddresses(["::1", "127.0.0.1"])).endpoints(for: Endpoint(host: "shop", port: 80), family: .system)
        let two = try #require(HostAddresses(["::1", "127.0.0.2"])).endpoints(for: Endpoint(host: "shop", port: 80), family: .system)
        #expect(one != two && one.count == 1 && two.count == 1)
    }

    @Test("there are never more than the bound, and always the same")
    func bounded() throws {
        let many = (0..<1000).map { "10.0.\($0 / 250).\($0 % 250)" }
        let endpoints = try Self.endpoints(many.shuffled())
        #expect(endpoints.count == HostAddresses.maximum)
        let others = try Self.endpoints(many.reversed())
        #expect(endpoints == others)
    }

    @Test("no address is no answer")
    func nothing() {
        #expect(HostAddresses([]) == nil)
    }

    @Test("a cluster has its addresses as they are, its names as what they stand for, and what two names share once")
    func cluster() throws {
        var cluster = Cluster(
            name: "all",
            endpoints: [
                Endpoint(host: "one", port: 80), Endpoint(host: "192.168.0.1", port: 81), Endpoint(host: "two", port: 80),
                Endpoint(host: "unknown", port: 80), Endpoint(host: "fd00::1", port: 80),
            ])
        let addresses = try [
            "one": #require(HostAddresses(["10.0.0.2", "10.0.0.1"])), "two": #require(HostAddresses(["10.0.0.2", "10.0.0.3"])),
        ]
        #expect(cluster.names == ["one", "two", "unknown"])
        #expect(
            cluster.endpoints(addresses).map(\.description) == [
                "10.0.0.1:80", "10.0.0.2:80", "192.168.0.1:81", "10.0.0.3:80", "[fd00::1]:80",
            ])
        #expect(cluster.endpoints(addresses).map(\.authority) == ["one:80", "one:80", "192.168.0.1:81", "two:80", "[fd00::1]:80"])
        cluster.resolution = nil
        #expect(cluster.names == [] && cluster.endpoints(addresses) == cluster.endpoints)
    }

    @Test("the name that a certificate must be for is the one of the configuration, without a dot at its end")
    func serverName() {
        #expect(Endpoint(address: "10.0.0.1", port: 443, name: "shop.example.").serverName == "shop.example")
        #expect(Endpoint(host: "shop.example", port: 443).serverName == "shop.example")
        #expect(Endpoint(host: "10.0.0.1", port: 443).serverName == nil)
    }
}
