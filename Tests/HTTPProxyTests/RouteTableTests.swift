import Testing

@testable import HTTPProxy

@Suite("The route table")
struct RouteTableTests {
    private static func table(_ routes: [Route]) throws -> RouteTable {
        try RouteTable(ProxyConfiguration(clusters: [Cluster(name: "c", endpoints: [Endpoint(host: "h", port: 1)])], routes: routes))
    }

    private static func route(_ name: String, _ path: PathPattern, host: String? = nil, methods: Set<String>? = nil) -> Route {
        Route(name: name, host: host, methods: methods, path: path, target: .cluster("c"))
    }

    private static func find(_ table: RouteTable, _ method: String, _ path: String, host: String = "any") -> String {
        let found = Array(path.utf8).withUnsafeBytes { path in
            Array(host.utf8).withUnsafeBytes { table.lookup(method: method, host: $0, path: path) { _ in true } }
        }
        return switch found {
        case .found(let compiled): compiled.route.name
        case .notFound: "404"
        case .methodNotAllowed(let methods): "405 " + methods.sorted().joined(separator: ",")
        }
    }

    @Test("the most specific pattern wins, whatever the order", arguments: [false, true])
    func specificity(isReversed: Bool) throws {
        let routes = [
            Self.route("root", .prefix("/")), Self.route("users", .prefix("/api/users")), Self.route("user", .template("/api/users/{id}")),
            Self.route("me", .template("/api/users/me")), Self.route("orders", .template("/api/users/{id}/orders")),
            Self.route("login", .template("/api/users/login"), methods: ["POST"]), Self.route("deep", .prefix("/api/users/{id}/deep")),
        ]
        let table = try Self.table(isReversed ? routes.reversed() : routes)
        for (path, expected) in [
            ("/", "root"), ("/x", "root"), ("/api", "root"), ("/api/users", "users"), ("/api/users2", "root"), ("/api/users/7", "user"),
            ("/api/users/me", "me"), ("/api/users/7/orders", "orders"), ("/api/users/7/orders/1", "users"),
            ("/api/users/me/orders", "orders"),
            ("/api/users/7/deep/er", "deep"), ("/api/users/login", "user"), ("/api/users/", "users"), ("/api/users/7/", "users"),
        ] {
            #expect(Self.find(table, "GET", path) == expected, "\(path)")
        }
        #expect(Self.find(table, "POST", "/api/users/login") == "login")
    }

    @Test("a method that does not fit falls back to a less specific route, and is a 405 only when there is none")
    func methods() throws {
        let table = try Self.table([
            Self.route("read", .prefix("/p"), methods: ["GET"]), Self.route("write", .prefix("/p"), methods: ["POST", "PATCH"]),
            Self.route("one", .template("/p/{id}"), methods: ["DELETE"]),
        ])
        #expect(Self.find(table, "GET", "/p/1") == "read")
        #expect(Self.find(table, "POST", "/p") == "write")
        #expect(Self.find(table, "DELETE", "/p/1") == "one")
        #expect(Self.find(table, "DELETE", "/p") == "405 GET,PATCH,POST")
        #expect(Self.find(table, "PUT", "/p/1") == "405 DELETE,GET,PATCH,POST")
        #expect(Self.find(table, "PUT", "/q") == "404")
    }

    @Test("a route for a host comes before one for all, without regard to case or port")
    func hosts() throws {
        let table = try Self.table([Self.route("all", .prefix("/")), Self.route("admin", .prefix("/"), host: "Admin.test")])
        #expect(Self.find(table, "GET", "/", host: "admin.TEST:8080") == "admin")
        #expect(Self.find(table, "GET", "/", host: "shop.test") == "all")
        #expect(Self.find(table, "GET", "/", host: "[::1]:80") == "all")
    }

    @Test("mistakes are named")
    func mistakes() {
        func mistake(_ routes: [Route]) -> String {
            do {
                _ = try Self.table(routes)
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(mistake([Self.route("a", .prefix("/x")), Self.route("a", .prefix("/y"))]) == "route a is there twice")
        #expect(mistake([Self.route("a", .prefix("/x")), Self.route("b", .prefix("/x"))]) == "routes a and b take the same requests")
        #expect(
            mistake([
                Self.route("a", .template("/x/{i}"), methods: ["GET"]), Self.route("b", .template("/x/{j}"), methods: ["GET", "POST"]),
            ])
                == "routes a and b take the same requests")
        for path in ["/x/{id", "/x/id}", "/x/a{id}", "/x/{}", "/x/{a}{b}"] {
            #expect(mistake([Self.route("a", .template(path))]) == "route a: a parameter is a whole segment, such as {id}")
        }
        #expect(mistake([Self.route("a", .prefix("x"))]) == "route a: the path must start with /")
        #expect(mistake([Self.route("a", .prefix("/x"), methods: ["GET"]), Self.route("b", .prefix("/x"))]) == "none")
    }

    @Test(
        "an address range holds what it says",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false), ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("192.168.128.0/17", "192.168.200.1", true),
            ("192.168.128.0/17", "192.168.100.1", false),
            ("10.0.0.0/8", "nonsense", false),
        ])
    func addressRanges(range: String, address: String, isInside: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(address) == isInside)
    }

    @Test("a range tells itself as it can be read again", arguments: ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8", "::1/128", "0.0.0.0/0"])
    func rangeText(text: String) throws {
        let range = try #require(AddressRange(text))
        #expect("\(range)" == text && AddressRange("\(range)") == range)
        #expect(try #require(AddressRange("::1")).description == "::1/128")
    }

    @Test(
        "what is no address range is none", arguments: ["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/-1", "10.0.0.0/x", "host"])
    func noRange(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
