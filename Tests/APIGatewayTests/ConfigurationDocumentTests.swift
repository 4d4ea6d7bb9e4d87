import Chassis
import Contracts
import Testing

@testable import APIGateway

@Suite("The configuration in force, as it is told")
struct ConfigurationDocumentTests {
    /// Everything that a file can say, each key at least once.
    private static let everything = """
        trustedProxies: [10.0.0.0/8, "fd00::/8", 127.0.0.1]
        clients: {maximumHeadBytes: 2048, maximumHeaderFields: 11, headSeconds: 1.5, keepAliveSeconds: 9}
        http2: {enabled: false, cleartext: true, maximumStreams: 3}
        cache: {megabytes: 5}
        tls: {certificate: a.pem, privateKey: a.key, clientAuthorities: b.pem}
        clusters:
          - name: one
            endpoints: ["https://a.example", "https://[::1]:8443"]
            tls: {authorities: c.pem, serverName: s.example, certificate: d.pem, privateKey: d.key}
            balancing: hash
            hashBy: header:X-Key
            resolve: {everySeconds: 2.5, family: ipv6}
            connectSeconds: 0.125
            maximumConnections: 7
            maximumWaitSeconds: 0.3
            overloadedWaitSeconds: 0.01
            outlierDetection: {consecutiveFailures: 3, baseSeconds: 1.5, maximumSeconds: 9, maximumPercent: 50}
            healthCheck: {path: /ready, intervalSeconds: 2, timeoutSeconds: 0.5, unhealthyAfter: 1, healthyAfter: 4}
            breaker: {minimumRequests: 9, failurePercent: 70, consecutiveConnectFailures: 8, openSeconds: 2, maximumOpenSeconds: 20}
          - {name: two, endpoints: ["http://b.example:81"], balancing: roundRobin, resolve: {enabled: false}, outlierDetection: {enabled: false}, breaker: {enabled: false}}
          - {name: three, endpoints: ["http://b.example"]}
        routes:
          - name: whole
            host: shop.example
            methods: [get, PUT]
            headers: {X-Any: ''}
            path: /api/{id}
            rewrite: /v2
            cluster: one
            authentication: required
            roles: [admin, customer]
            identityHeaders: true
            totalSeconds: 0
            firstByteSeconds: 2.5
            idleSeconds: 7
            upgrades: [websocket]
            cors: {origins: ["https://a.example"], methods: [GET], headers: [A], exposedHeaders: [B], credentials: true, maximumAgeSeconds: 5}
            securityHeaders: true
            cache: {maximumBodyBytes: 77}
            retries: {count: 1, statuses: [503], maximumBodyBytes: 9, firstPauseSeconds: 0.5, longestPauseSeconds: 1}
            maximumBodyBytes: 10
            rateLimits: [{name: a, requests: 5, seconds: 1.5, burst: 2, by: token}, {name: b, requests: 9, seconds: 60}]
          - {name: split, path: /split, split: [{cluster: one, weight: 0}, {cluster: two, weight: 3}], pinnedBy: X-Variant}
          - {name: redirect, path: /old, redirect: {to: /new}}
          - {name: respond, path: /robots.txt, exact: true, respond: {status: 200, contentType: text/plain, text: "a\\nb"}}
          - {name: plain, path: /, cluster: three}
        """

    private static func document(_ yaml: String, _ variables: [String: String] = [:]) throws -> OrderedJSON {
        try GatewayConfiguration(yaml: yaml, variables: variables).document
    }

    @Test("it is a configuration itself, and means the same")
    func again() throws {
        let document = try Self.document(Self.everything)
        let again = try Self.document(String(decoding: document.bytes, as: UTF8.self))
        #expect(again == document)
    }

    @Test("it has every key that there is, and the defaults of those that the file does not have")
    func complete() throws {
        func names(_ objects: [OrderedJSON?]) -> Set<String> { Set(objects.flatMap { ($0?.members ?? []).map(\.name) }) }
        let document = try Self.document(Self.everything)
        let (clusters, routes) = (document["clusters"]?.elements ?? [], document["routes"]?.elements ?? [])
        #expect(names([document]) == GatewayConfiguration.documentKeys)
        #expect(names([document["clients"]]) == GatewayConfiguration.clientKeys)
        #expect(names([document["http2"]]) == GatewayConfiguration.http2Keys)
        #expect(names([document["cache"]]) == GatewayConfiguration.cacheKeys)
        #expect(names(routes.map { $0["cache"] }) == GatewayConfiguration.routeCacheKeys)
        #expect(names([document["tls"]]) == GatewayConfiguration.serverTLSKeys)
        #expect(names(clusters) == GatewayConfiguration.clusterKeys)
        #expect(names(clusters.map { $0["resolve"] }) == GatewayConfiguration.resolutionKeys)
        #expect(names(clusters.map { $0["tls"] }) == GatewayConfiguration.upstreamTLSKeys)
        #expect(names(clusters.map { $0["outlierDetection"] }) == GatewayConfiguration.outlierKeys)
        #expect(names(clusters.map { $0["healthCheck"] }) == GatewayConfiguration.healthCheckKeys)
        #expect(names(clusters.map { $0["breaker"] }) == GatewayConfiguration.breakerKeys)
        #expect(names(routes) == GatewayConfiguration.routeKeys)
        #expect(names(routes.map { $0["cors"] }) == GatewayConfiguration.corsKeys)
        #expect(names(routes.map { $0["retries"] }) == GatewayConfiguration.retryKeys)
        #expect(names(routes.flatMap { $0["split"]?.elements ?? [] }) == GatewayConfiguration.shareKeys)
        #expect(names(routes.map { $0["redirect"] }) == GatewayConfiguration.redirectKeys)
        #expect(names(routes.map { $0["respond"] }) == GatewayConfiguration.responseKeys)
        #expect(names(routes.flatMap { $0["rateLimits"]?.elements ?? [] }) == GatewayConfiguration.rateLimitKeys)
        let (cluster, route) = (clusters[2], routes[4])
        #expect(cluster["connectSeconds"] == .other("3") && cluster["maximumWaitSeconds"] == .other("0.25"))
        #expect(cluster["endpoints"] == ["http://b.example:80"] && cluster["balancing"] == "leastRequest")
        #expect(route["authentication"] == "none" && route["totalSeconds"] == .other("30") && routes[0]["totalSeconds"] == .other("0"))
    }

    @Test("the standard configuration is told with the addresses that it has got")
    func standard() throws {
        var variables = ["TRUSTED_PROXIES": ""]
        for service in APIGateway.servicesBehind { variables[service.addressVariable] = "http://\(service.rawValue):80" }
        let document = try Self.document(StandardConfiguration.yaml, variables)
        #expect(document["clusters"]?.elements.first?["endpoints"] == ["http://user-service:80"])
        #expect(try Self.document(String(decoding: document.bytes, as: UTF8.self)) == document)
    }

    // MARK: Secrets

    @Test("what comes from a variable whose name says that it is secret is not told, wherever it stands")
    func secrets() throws {
        let variables = [
            "EDGE_KEY": "s3cr3t", "ORIGIN_SECRET": " padded ", "DB_PASSWORD": "s3cr3t-and-more", "MONKEY": "banana", "STAGE": "beta",
            "UNUSED_TOKEN": "shop",
        ]
        let yaml = """
            clusters: [{name: shop, endpoints: ["http://h:1"]}]
            routes:
              - {name: a, path: /a, cluster: shop, headers: {X-Key: "${EDGE_KEY}", X-Stage: "${STAGE}"}}
              - {name: b, path: /b, respond: {status: 200, text: "${EDGE_KEY} ${DB_PASSWORD} ${MONKEY} ${STAGE}"}}
              - {name: c, path: /c, redirect: {to: "/${EDGE_KEY}"}}
              - {name: d, path: /d, respond: {status: 200, text: ${ORIGIN_SECRET}}}
            """
        let document = try Self.document(yaml, variables)
        let text = String(decoding: document.bytes, as: UTF8.self)
        #expect(!text.contains("s3cr3t") && !text.contains("padded"))
        let routes = document["routes"]?.elements ?? []
        #expect(routes[0]["headers"] == ["X-Key": "[redacted]", "X-Stage": "[redacted]"] && routes[0]["cluster"] == "shop")
        #expect(routes[1]["respond"]?["text"] == "[redacted] [redacted] banana beta")
        #expect(routes[2]["redirect"]?["to"] == "/[redacted]")
    }

    @Test("the sentence about a mistake repeats no secret either")
    func mistake() throws {
        let file = try ConfigurationFile(
            """
            clusters: [{name: shop, endpoints: ["${EDGE_KEY}"]}]
            routes: [{name: a, path: /a, cluster: shop}]
            """)
        defer { file.remove() }
        let settings = APIGateway.Settings(configurationFile: file.path)
        let error = try #require(throws: SettingsError.self) { try settings.configuration(variables: ["EDGE_KEY": "s3cr3t"]) }
        #expect("\(error)".contains("line 1: “[redacted]” must be an address") && !"\(error)".contains("s3cr3t"))
    }
}
