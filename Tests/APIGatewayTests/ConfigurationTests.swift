import Contracts
import Foundation
import HTTPProxy
import NIOCore
import Testing

@testable import APIGateway

@Suite("The configuration file")
struct ConfigurationTests {
    private static let good = """
        trustedProxies: [10.0.0.0/8]
        clusters:
          - name: shop
            endpoints:
              - http://127.0.0.1:3001
              - http://[::1]:3002
            connectSeconds: 0.5
            maximumConnections: 10
        routes:
          - name: all
            path: /api
            cluster: shop
          - name: one
            host: shop.example.com
            path: /api/things/{id}
            methods: [get, POST]
            cluster: shop
            authentication: required
            totalSeconds: 0
            firstByteSeconds: 2
            maximumBodyBytes: 10
            rateLimits:
              - {name: second, requests: 5, seconds: 1, by: user}
              - {name: day, requests: 1000, seconds: 86400, burst: 20}
        """

    @Test("what it says is what is configured")
    func good() throws {
        let configuration = try GatewayConfiguration(yaml: Self.good, variables: [:])
        #expect(configuration.clusters[0].endpoints == [Endpoint(host: "127.0.0.1", port: 3001), Endpoint(host: "::1", port: 3002)])
        #expect(configuration.clusters[0].connections.connectTimeout == .milliseconds(500))
        #expect(configuration.clusters[0].connections.maximumConnections == 10)
        let (all, one) = (configuration.routes[0], configuration.routes[1])
        #expect(all.path == .prefix("/api") && all.methods == nil && all.authentication == .none && all.maximumBodyBytes == 1 << 20)
        #expect(one.path == .template("/api/things/{id}") && one.methods == ["GET", "POST"] && one.host == "shop.example.com")
        #expect(one.authentication == .required && one.maximumBodyBytes == 10)
        #expect(one.timeouts.total == nil && one.timeouts.firstByte == .seconds(2))
        #expect(all.rateLimits == [])
        #expect(
            one.rateLimits == [
                RateLimit(name: "second", quota: 5, window: .seconds(1), burst: 5, key: .user),
                RateLimit(name: "day", quota: 1_000, window: .hours(24), burst: 20, key: .address),
            ])
        #expect(configuration.trustedProxies.count == 1)
    }

    /// A mistake: the line that is changed, what it says then, the line that is told, and words that it is told with.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let line: Int
        let text: String
        let told: Int?
        let words: String
        var testDescription: String { "line \(line): \(text)" }

        init(_ line: Int, _ text: String, told: Int? = nil, _ words: String) {
            (self.line, self.text, self.told, self.words) = (line, text, told ?? line, words)
        }
    }

    @Test(
        "a mistake is told with its line",
        arguments: [
            Mistake(1, "trustedProxies: [10.0.0.0/99]", "“10.0.0.0/99” must be an address range"),
            Mistake(1, "trustedProxies: 10.0.0.0/8", "“trustedProxies” must be a list"),
            Mistake(1, "trustedProxies: [[10]]", "must be a list of texts"),
            Mistake(1, "trustedProxy: [10.0.0.0/8]", "“trustedProxy” is not known here"),
            Mistake(9, "routes: {a: b}\nhosts:", told: 10, "“hosts” is not known here"),
            Mistake(3, "  - nam: shop", "“nam” is not known here (known: balancing, breaker, connectSeconds"),
            Mistake(3, "  - name: ''", "“name” must be a text"),
            Mistake(5, "      - https://127.0.0.1:3001", told: 5, "“endpoints” must be all http or all https"),
            Mistake(5, "      - ftp://127.0.0.1:3001", "“ftp://127.0.0.1:3001” must be an address"),
            Mistake(7, "    tls: {serverName: a}", "“tls” needs endpoints with https"),
            Mistake(1, "tls: {certificate: a}", "“privateKey” is missing"),
            Mistake(6, "      - http://127.0.0.1:3001/path", "must be an address"),
            Mistake(6, "      - http://127.0.0.1:3001?query", "must be an address"),
            Mistake(6, "      - http://127.0.0.1:99999", "must be an address"),
            Mistake(6, "      - http://:3001", "must be an address"),
            Mistake(6, "      - localhost", "must be an address"),
            Mistake(7, "    connectSeconds: soon", "“connectSeconds” must be a number of seconds between 0.01 and 60"),
            Mistake(7, "    connectSeconds: 0", "“connectSeconds” must be a number of seconds"),
            Mistake(8, "    maximumConnections: 1.5", "“maximumConnections” must be a whole number between 1 and 65536"),
            Mistake(8, "    maximumConnections: 0", "“maximumConnections” must be a whole number"),
            Mistake(10, "  - all\n  - name: all", "must be a mapping"),
            Mistake(11, "    path: api", "“path” must begin with /"),
            Mistake(11, "    exact: true", told: 10, "“path” is missing"),
            Mistake(12, "    cluster: shops", "there is no cluster “shops”"),
            Mistake(12, "    exact: true", told: 10, "“cluster” is missing"),
            Mistake(13, "  - name: all", "“all” is there twice"),
            Mistake(14, "    exact: sometimes", "“exact” must be true or false"),
            Mistake(16, "    methods: GET", "“methods” must be a list"),
            Mistake(18, "    authentication: maybe", "“authentication” must be one of required, optional, none"),
            Mistake(18, "    authentification: required", "“authentification” is not known here"),
            Mistake(19, "    roles: [boss]", "“roles” must be of customer, admin"),
            Mistake(18, "    roles: [admin]", "“roles” needs “authentication: required”"),
            Mistake(19, "    totalSeconds: -1", "“totalSeconds” must be a number of seconds"),
            Mistake(20, "    firstByteSeconds: 90000", "“firstByteSeconds” must be a number of seconds"),
            Mistake(21, "    maximumBodyBytes: -1", "“maximumBodyBytes” must be a whole number"),
            Mistake(21, "    maximumBodyBytes: ${LIMIT}", "the environment has no LIMIT"),
            Mistake(23, "      - {name: a b, requests: 5, seconds: 1}", "“name” must be of letters, digits, - and _"),
            Mistake(23, "      - {name: a, requests: 0, seconds: 1}", "“requests” must be a whole number between 1 and"),
            Mistake(23, "      - {name: a, seconds: 1}", "“requests” is missing"),
            Mistake(23, "      - {name: a, requests: 5}", "“seconds” is missing"),
            Mistake(23, "      - {name: a, requests: 5, seconds: 0.5}", "“seconds” must be a number of seconds between 1.0 and"),
            Mistake(23, "      - {name: a, requests: 5, seconds: 1, by: ip}", "“by” must be one of address, user, token, route"),
            Mistake(23, "      - {name: a, requests: 5, seconds: 1, per: 1}", "“per” is not known here"),
            Mistake(24, "      - {name: second, requests: 5, seconds: 1}", "“second” is there twice"),
            Mistake(17, "    cluster: {shop", told: 18, "not YAML"),
            Mistake(11, "\tpath: /api", "not YAML"),
        ])
    func mistakes(mistake: Mistake) throws {
        var lines = Self.good.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines[mistake.line - 1] = mistake.text
        let error = try #require(throws: GatewayConfigurationError.self) {
            try GatewayConfiguration(yaml: lines.joined(separator: "\n"), variables: [:])
        }
        #expect(error.line == mistake.told)
        #expect(error.sentence.contains(mistake.words))
        #expect(error.description.hasPrefix("line \(mistake.told ?? 0): "))
    }

    private static func resilient(_ cluster: String, _ route: String = "") throws -> GatewayConfiguration {
        let yaml = """
            clusters:
              - {name: shop, endpoints: [http://127.0.0.1:3001], \(cluster)}
            routes:
              - {name: all, path: /, cluster: shop, \(route)}
            """
        return try GatewayConfiguration(yaml: yaml, variables: [:])
    }

    @Test("what it says about balancing, health, breakers and retries is what is configured")
    func resilience() throws {
        let plain = try Self.resilient("")
        #expect(plain.clusters[0] == Cluster(name: "shop", endpoints: [Endpoint(host: "127.0.0.1", port: 3001)]))
        #expect(plain.routes[0].retries == RetryPolicy())
        let full = try Self.resilient(
            """
            balancing: hash, hashBy: "header:X-Cart", outlierDetection: {consecutiveFailures: 3, baseSeconds: 1.5, maximumPercent: 50},
            healthCheck: {path: /ready, intervalSeconds: 2, healthyAfter: 1}, breaker: {failurePercent: 80, openSeconds: 0.5},
            resolve: {everySeconds: 2.5, family: ipv4}
            """, "retries: {count: 1, statuses: [500, 503], firstPauseSeconds: 0.1}, upgrades: [websocket], idleSeconds: 0")
        let cluster = full.clusters[0]
        #expect(cluster.balancing == .consistentHash(by: .header("X-Cart")))
        #expect(cluster.resolution?.interval == .milliseconds(2500) && cluster.resolution?.family == .ipv4)
        #expect(cluster.outlierDetection?.consecutiveFailures == 3 && cluster.outlierDetection?.baseTime == .milliseconds(1500))
        #expect(
            cluster.healthCheck?.path == "/ready" && cluster.healthCheck?.interval == .seconds(2) && cluster.healthCheck?.healthyAfter == 1)
        #expect(cluster.breaker?.failurePercent == 80 && cluster.breaker?.firstOpenTime == .milliseconds(500))
        #expect(full.routes[0].retries.retries == 1 && full.routes[0].retries.statuses == [500, 503])
        #expect(full.routes[0].retries.firstPause == .milliseconds(100))
        #expect(full.routes[0].upgrades == ["websocket"] && full.routes[0].timeouts.idle == nil)
        let open = try Self.resilient("", "securityHeaders: true, cors: {origins: [https://a.example], methods: [get], credentials: true}")
        #expect(open.routes[0].addsSecurityHeaders && open.routes[0].cors?.origins == ["https://a.example"])
        #expect(open.routes[0].cors?.methods == ["GET"] && open.routes[0].cors?.allowsCredentials == true)
        let off = try Self.resilient(
            "outlierDetection: {enabled: false}, breaker: {enabled: false}, resolve: {enabled: false}", "retries: {count: 0}")
        #expect(off.clusters[0].resolution == nil)
        #expect(off.clusters[0].outlierDetection == nil && off.clusters[0].breaker == nil && off.routes[0].retries.retries == 0)
    }

    @Test("what it says about the cache is what is configured, and without a word nothing is kept")
    func cache() throws {
        func read(_ route: String, _ document: String = "") throws -> GatewayConfiguration {
            try GatewayConfiguration(
                yaml: """
                    {\(document) clusters: [{name: shop, endpoints: [http://127.0.0.1:3001]}],
                    routes: [{name: all, path: /, \(route)}]}
                    """, variables: [:])
        }
        let plain = try read("cluster: shop")
        #expect(plain.cacheBytes == 64 << 20 && plain.routes[0].cache == nil)
        #expect(try read("cluster: shop, cache: true").routes[0].cache == RouteCache())
        #expect(try read("cluster: shop, cache: {}").routes[0].cache == RouteCache())
        for off in ["cache: false", "cache: {enabled: false, maximumBodyBytes: 5}"] {
            #expect(try read("cluster: shop, \(off)").routes[0].cache == nil)
        }
        let full = try read("cluster: shop, cache: {maximumBodyBytes: 5}", "cache: {megabytes: 2},")
        #expect(full.cacheBytes == 2 << 20 && full.routes[0].cache?.maximumBodyBytes == 5)
        for (route, document, words) in [
            ("cluster: shop, cache: maybe", "", "“cache” must be true, false or a mapping"),
            ("cluster: shop, cache: {bytes: 5}", "", "“bytes” is not known here (known: enabled, maximumBodyBytes)"),
            ("cluster: shop, cache: {maximumBodyBytes: 0}", "", "“maximumBodyBytes” must be a whole number between 1 and 67108864"),
            ("redirect: {to: /new}, cache: true", "", "“cache” needs a cluster"),
            ("cluster: shop", "cache: {megabytes: 0},", "“megabytes” must be a whole number between 1 and 65536"),
        ] {
            let error = try #require(throws: GatewayConfigurationError.self) { try read(route, document) }
            #expect(error.sentence.contains(words), "\(error)")
        }
    }

    @Test("what it says about TLS is what is configured")
    func tls() throws {
        let yaml = """
            tls: {certificate: /etc/shop.pem, privateKey: /etc/shop.key, clientAuthorities: /etc/clients.pem}
            clusters:
              - name: shop
                endpoints: [https://shop.internal]
                tls: {authorities: /etc/inside.pem, serverName: shop, certificate: /etc/me.pem, privateKey: /etc/me.key}
              - {name: web, endpoints: [https://shop.example]}
              - {name: plain, endpoints: [http://shop.example]}
            routes: [{name: all, path: /, cluster: shop}]
            """
        let configuration = try GatewayConfiguration(yaml: yaml, variables: [:])
        #expect(
            configuration.tls
                == ServerTLS(certificateFile: "/etc/shop.pem", privateKeyFile: "/etc/shop.key", clientAuthoritiesFile: "/etc/clients.pem"))
        #expect(configuration.clusters[0].endpoints == [Endpoint(host: "shop.internal", port: 443)])
        let tls = try #require(configuration.clusters[0].tls)
        #expect(tls.authoritiesFile == "/etc/inside.pem" && tls.serverName == "shop")
        #expect(tls.certificateFile == "/etc/me.pem" && tls.privateKeyFile == "/etc/me.key")
        #expect(configuration.clusters[1].tls == UpstreamTLS() && configuration.clusters[2].tls == nil)
    }

    @Test(
        "a mistake about them is told",
        arguments: [
            ("balancing: random", "“balancing” must be one of leastRequest, roundRobin, hash"), ("hashBy: user", "needs “balancing: hash”"),
            ("balancing: hash, hashBy: cookie", "“hashBy” must be address, user, path or header:NAME"),
            ("healthCheck: {intervalSeconds: 1}", "“path” is missing"), ("healthCheck: {path: ready}", "“path” must be a path"),
            ("outlierDetection: {percent: 10}", "“percent” is not known here"),
            ("resolve: {everySeconds: 0}", "“everySeconds” must be a number of seconds between 1.0 and 3600.0"),
            ("resolve: {family: ipv5}", "“family” must be one of system, ipv4, ipv6"),
            ("breaker: {failurePercent: 0}", "“failurePercent” must be a whole number between 1 and 100"),
        ])
    func resilienceMistakes(cluster: String, words: String) throws {
        let error = try #require(throws: GatewayConfigurationError.self) { try Self.resilient(cluster) }
        #expect(error.line == 2 && error.sentence.contains(words), "\(error)")
        #expect(throws: GatewayConfigurationError.self) { try Self.resilient("", "retries: {statuses: [404]}") }
        for cors in ["origins: []", "origins: [shop.example]", "origins: [https://a/b]", "origins: ['*'], credentials: true"] {
            #expect(throws: GatewayConfigurationError.self, "\(cors)") { try Self.resilient("", "cors: {\(cors)}") }
        }
    }

    @Test(
        "a file with nothing to route is a mistake",
        arguments: ["", "clusters: []", "routes: []", "[]", "# only a comment", "clusters: [{name: a, endpoints: []}]\nroutes: []"])
    func nothing(yaml: String) {
        #expect(throws: GatewayConfigurationError.self) { try GatewayConfiguration(yaml: yaml, variables: [:]) }
    }

    @Test("variables stand for their values, and a value is no variable")
    func variables() throws {
        let yaml = """
            clusters: [{name: "${NAME}", endpoints: ["http://${HOST}:${PORT}"]}]
            routes: [{name: r, path: /x, cluster: "${NAME}"}]
            """
        let variables = ["NAME": "${NAME}", "HOST": "10.0.0.1", "PORT": "80"]
        let configuration = try GatewayConfiguration(yaml: yaml, variables: variables)
        #expect(
            configuration.clusters[0].name == "${NAME}" && configuration.clusters[0].endpoints == [Endpoint(host: "10.0.0.1", port: 80)])
    }

    @Test("what clients may take, and whether they may speak HTTP/2, is as the file says")
    func clients() throws {
        let routes = "routes: [{name: a, path: /, respond: {status: 200}}]"
        let yaml = """
            clients: {maximumHeadBytes: 8192, maximumHeaderFields: 50, headSeconds: 2, keepAliveSeconds: 0.5}
            http2: {enabled: false, cleartext: true, maximumStreams: 7}
            \(routes)
            """
        let configuration = try GatewayConfiguration(yaml: yaml, variables: [:])
        var (limits, http2) = (ProxyLimits(), HTTP2Options())
        (limits.maximumHeadBytes, limits.maximumHeaderFields, limits.headTimeout, limits.idleTimeout) = (
            8192, 50, .seconds(2), .milliseconds(500)
        )
        (http2.isEnabled, http2.isCleartextAllowed, http2.maximumConcurrentStreams) = (false, true, 7)
        #expect(configuration.limits == limits && configuration.http2 == http2)
        let silent = try GatewayConfiguration(yaml: routes, variables: [:])
        #expect(silent.limits == ProxyLimits() && silent.http2 == HTTP2Options())
        #expect(throws: GatewayConfigurationError.self) {
            try GatewayConfiguration(yaml: "http2: {maximumStreams: 0}\n" + routes, variables: [:])
        }
    }

    @Test("docs/gateway.md tells of every key, and of no other")
    func documented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/gateway.md"), encoding: .utf8)
        let tables = text.components(separatedBy: "| key |").dropFirst().map { table in
            Set(
                table.split(separator: "\n").dropFirst().prefix { $0.hasPrefix("|") }.filter { $0.hasPrefix("| `") }.compactMap {
                    $0.split(separator: "`").dropFirst().first.map(String.init)
                })
        }
        let keys = [
            GatewayConfiguration.documentKeys, GatewayConfiguration.clientKeys, GatewayConfiguration.serverTLSKeys,
            GatewayConfiguration.http2Keys, GatewayConfiguration.cacheKeys, GatewayConfiguration.clusterKeys,
            GatewayConfiguration.resolutionKeys,
            GatewayConfiguration.upstreamTLSKeys, GatewayConfiguration.outlierKeys,
            GatewayConfiguration.healthCheckKeys, GatewayConfiguration.breakerKeys, GatewayConfiguration.routeKeys,
            GatewayConfiguration.corsKeys, GatewayConfiguration.compressionKeys, GatewayConfiguration.routeCacheKeys,
            GatewayConfiguration.retryKeys,
            GatewayConfiguration.shareKeys,
            GatewayConfiguration.redirectKeys,
            GatewayConfiguration.responseKeys,
            GatewayConfiguration.rateLimitKeys,
        ]
        #expect(tables == keys)
        let (connections, timeouts) = (ConnectionLimits(), RouteTimeouts())
        let (outliers, check, breaker, retries) = (OutlierDetection(), HealthCheck(path: "/"), BreakerLimits(), RetryPolicy())
        let (limits, http2) = (ProxyLimits(), HTTP2Options())
        func seconds(_ time: TimeAmount?) -> String { (Double(time?.nanoseconds ?? 0) / 1e9).formatted(.number.grouping(.never)) }
        let defaults = [
            "maximumHeadBytes": "\(limits.maximumHeadBytes)", "maximumHeaderFields": "\(limits.maximumHeaderFields)",
            "headSeconds": seconds(limits.headTimeout), "keepAliveSeconds": seconds(limits.idleTimeout),
            "enabled": "\(http2.isEnabled)", "cleartext": "\(http2.isCleartextAllowed)",
            "maximumStreams": "\(http2.maximumConcurrentStreams)", "minimumBytes": "\(Compression().minimumBytes)",
            "level": "\(Compression().level)", "everySeconds": seconds(NameResolution().interval),
            "family": "`\(NameResolution().family)`",
            "connectSeconds": seconds(connections.connectTimeout), "maximumConnections": "\(connections.maximumConnections)",
            "maximumWaitSeconds": seconds(connections.maximumWait), "overloadedWaitSeconds": seconds(connections.overloadedWait),
            "totalSeconds": seconds(timeouts.total), "firstByteSeconds": seconds(timeouts.firstByte),
            "idleSeconds": seconds(timeouts.idle),
            "consecutiveFailures": "\(outliers.consecutiveFailures)", "baseSeconds": seconds(outliers.baseTime),
            "maximumSeconds": seconds(outliers.maximumTime), "maximumPercent": "\(outliers.maximumPercent)",
            "intervalSeconds": seconds(check.interval), "timeoutSeconds": seconds(check.timeout),
            "unhealthyAfter": "\(check.unhealthyAfter)", "healthyAfter": "\(check.healthyAfter)",
            "minimumRequests": "\(breaker.minimumRequests)", "failurePercent": "\(breaker.failurePercent)",
            "consecutiveConnectFailures": "\(breaker.consecutiveConnectFailures)", "openSeconds": seconds(breaker.firstOpenTime),
            "maximumOpenSeconds": seconds(breaker.maximumOpenTime), "count": "\(retries.retries)",
            "maximumAgeSeconds": seconds(CORS(origins: []).maximumAge), "firstPauseSeconds": seconds(retries.firstPause),
            "longestPauseSeconds": seconds(retries.longestPause),
            "megabytes": "\(ProxyConfiguration(routes: []).cacheBytes >> 20)",
        ]
        for (key, value) in defaults {
            let row = text.split(separator: "\n").first { $0.hasPrefix("| `\(key)`") }
            #expect(row?.split(separator: "|").dropFirst(2).first?.trimmingCharacters(in: .whitespaces) == value, "\(key)")
        }
    }

    @Test("the standard configuration has every service behind, and protects what is somebody's")
    func standard() throws {
        var variables: [String: String] = [:]
        for service in APIGateway.servicesBehind { variables[service.addressVariable] = "http://127.0.0.1:\(3000 + service.portOffset)" }
        var settings = APIGateway.Settings()
        #expect(try settings.configuration(variables: variables).trustedProxies == [])
        settings.trustedProxies = "10.0.0.0/8,192.168.0.1"
        let configuration = try settings.configuration(variables: variables)
        #expect(configuration.trustedProxies == ["10.0.0.0/8", "192.168.0.1"].compactMap { AddressRange($0) })
        #expect(configuration.clusters.map(\.name) == ["users", "products", "orders", "order-streams", "payments", "notifications"])
        #expect(configuration.clusters.map { $0.endpoints[0].port } == [3001, 3002, 3003, 3003, 3004, 3005])
        let open = configuration.routes.filter { $0.authentication == .none }.map(\.name)
        #expect(Set(open) == ["register", "login", "token", "logout", "password-reset", "jwks", "categories", "payment-webhooks"])
        let limits = configuration.routes.flatMap { route in
            route.rateLimits.map { "\(route.name) \($0.quota) \($0.window.nanoseconds) \($0.key)" }
        }
        #expect(limits == ["register 30 60000000000 address", "login 30 60000000000 address", "password-reset 5 60000000000 address"])
        let stream = try #require(configuration.routes.first { $0.name == "order-events" })
        #expect(stream.timeouts.total == nil)
        #expect(configuration.clusters.first { $0.name == "orders" }?.connections.maximumConnections == 32)
        #expect(configuration.clusters.first { $0.name == "order-streams" }?.connections.maximumConnections == 4096)
    }

    @Test("a cluster's connections and its line have the limits of the file")
    func connectionLimits() throws {
        let yaml = """
            clusters: [{name: a, endpoints: ["http://h:1"], maximumConnections: 7, maximumWaitSeconds: 0.3, overloadedWaitSeconds: 0.05}]
            routes: [{name: r, path: /x, cluster: a}]
            """
        let limits = try GatewayConfiguration(yaml: yaml, variables: [:]).clusters[0].connections
        #expect(limits.maximumConnections == 7)
        #expect(limits.maximumWait == .milliseconds(300))
        #expect(limits.overloadedWait == .milliseconds(50))
    }

    @Test("a mistake in a file stops the start with the file's name and the line")
    func atStart() throws {
        let file = try ConfigurationFile("routes: nowhere")
        defer { file.remove() }
        let settings = APIGateway.Settings(configurationFile: file.path)
        let error = try #require(throws: (any Error).self) { try settings.configuration(variables: [:]) }
        #expect("\(error)".contains("gateway.yaml, line 1: “routes” must be a list"))
    }
}
