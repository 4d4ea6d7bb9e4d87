import Chassis
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import APIGateway

@Suite("The admin listener", .timeLimit(.minutes(1)))
struct AdminTests {
    private static let paths = ["/admin/status", "/admin/clusters", "/admin/limits", "/admin/configuration"]
    private static let yaml = """
        clusters:
          - {name: up, endpoints: ["${UPSTREAM}"]}
          - name: down
            endpoints: ["http://127.0.0.1:9"]
            breaker: {consecutiveConnectFailures: 1, openSeconds: 3600, maximumOpenSeconds: 3600}
        routes:
          - {name: open, path: /open, cluster: up}
          - {name: down, path: /down, cluster: down, retries: {count: 0}}
          - name: limited
            path: /limited
            cluster: up
            rateLimits: [{name: hour, requests: 2, seconds: 3600, burst: 1, by: route}]
          - {name: secretive, path: /secretive, cluster: up, headers: {X-Origin-Verify: "hunter2-hunter2", X-Any: ''}}
        """

    /// The names of members, those of members of members too, in their order.
    private static func names(_ document: OrderedJSON?) -> [String] {
        document?.members.flatMap { member in
            let inner =
                member.value.elements.first.map { names($0).map { "\(member.name)[].\($0)" } }
                ?? names(member.value).map { "\(member.name).\($0)" }
            return [member.name] + inner
        } ?? []
    }

    private static let sourceNames = ["file", "loadedAt", "loads", "failure"]
    private static let clusterNames = [
        "name", "activeRequests", "panicking", "breaker", "breaker.phase", "breaker.closedLoops", "breaker.halfOpenLoops",
        "breaker.openLoops", "breaker.nextTrySeconds", "retries", "retries.active", "retries.limit", "endpoints", "endpoints[].address",
        "endpoints[].name", "endpoints[].available", "endpoints[].healthy", "endpoints[].ejectedUntil", "endpoints[].ejections",
        "endpoints[].consecutiveFailures", "endpoints[].connections", "endpoints[].connections.active", "endpoints[].connections.idle",
        "endpoints[].connections.opening", "endpoints[].waitingRequests",
    ]
    private static let limitNames = [
        "enabled", "memory", "memory.callers", "memory.capacity", "sharing", "limits", "limits[].route", "limits[].name",
        "limits[].requests",
        "limits[].seconds", "limits[].burst", "limits[].by", "limits[].refused",
    ]

    @Test("the members of every document are those that are documented, in that order")
    func shape() async throws {
        try await GatewayFixture.run(yaml: Self.yaml) { gateway in
            func document(_ path: String) async throws -> OrderedJSON {
                let reply = try await gateway.control.get(path)
                #expect(reply.status == .ok && reply.headers[.contentType] == "application/json")
                #expect(reply.headers[.cacheControl] == "no-store")
                return try OrderedJSON(parsing: Array(reply.body))
            }
            let status = try await document("/admin/status")
            let own = ["service", "version", "time", "startedAt", "draining", "eventLoops", "clientConnections", "activeRequests"]
            let cache = ["cache", "cache.entries", "cache.bytes", "cache.capacity"]
            #expect(
                Self.names(status) == own + cache + ["configuration"] + Self.sourceNames.map { "configuration.\($0)" } + ["clusters"]
                    + Self.clusterNames.map { "clusters[].\($0)" } + ["rateLimits"] + Self.limitNames.map { "rateLimits.\($0)" })
            let clusters = try await document("/admin/clusters")
            #expect(clusters.elements.map { Self.names($0) } == Array(repeating: Self.clusterNames, count: 3))
            #expect(clusters.elements.map { $0["name"]?.text } == ["up", "down", "control"])
            #expect(Self.names(try await document("/admin/limits")) == Self.limitNames)
            let configuration = try await document("/admin/configuration")
            #expect(configuration.members.map(\.name) == Self.sourceNames + ["settings", "configuration"])
        }
    }

    @Test("what goes on can be seen: connections, a breaker that is open, what a limit refused")
    func values() async throws {
        try await GatewayFixture.run(yaml: Self.yaml) { gateway in
            #expect(try await gateway.client.get("/open").status == .ok)
            #expect(try await gateway.client.get("/down").status == .serviceUnavailable)
            #expect(try await gateway.client.get("/limited").status == .ok)
            for _ in 0..<3 { #expect(try await gateway.client.get("/limited").status == .tooManyRequests) }
            let status = try await gateway.control.get("/admin/status").json
            #expect(status["service"] == "api-gateway" && status["version"].string == SoukVersion.current && status["draining"] == false)
            #expect(status["eventLoops"] == 1)
            let connections = try #require(status["clientConnections"].integer)
            #expect(connections >= 1)
            for member in ["time", "startedAt"] { #expect(Timestamp(rfc3339: status[member].string ?? "") != nil) }
            let (up, down) = (status["clusters"][0], status["clusters"][1])
            #expect(up["breaker"]["phase"] == "closed" && up["breaker"]["nextTrySeconds"] == .null)
            let endpoint = up["endpoints"][0]
            #expect(
                endpoint["name"] == .null && endpoint["available"] == true && endpoint["healthy"] == .null
                    && endpoint["ejectedUntil"] == .null)
            #expect(endpoint["connections"] == ["active": 0, "idle": 1, "opening": 0] && endpoint["waitingRequests"] == 0)
            #expect(down["breaker"]["phase"] == "open" && down["breaker"]["openLoops"] == 1)
            guard case .decimal(let time) = down["breaker"]["nextTrySeconds"] else { throw Missing() }
            #expect(time > 3500 && time <= 3600)
            #expect(down["endpoints"][0]["address"] == "127.0.0.1:9" && down["endpoints"][0]["consecutiveFailures"] == 1)
            #expect(
                status["rateLimits"]["limits"] == [
                    [
                        "route": "limited", "name": "hour", "requests": 2, "seconds": 3600, "burst": 1, "by": "route", "refused": 3,
                    ]
                ])
            #expect(status["rateLimits"]["memory"] == ["callers": 1, "capacity": 65_536] && status["rateLimits"]["enabled"] == true)
        }
    }

    private struct Missing: Error {}

    @Test("an endpoint that is put out shows until when")
    func ejected() async throws {
        // Both lead to the same place, where nobody listens, so that the cluster keeps one.
        let yaml = """
            clusters:
              - name: down
                endpoints: ["http://127.0.0.1:9", "http://127.0.0.2:9"]
                breaker: {enabled: false}
                outlierDetection: {consecutiveFailures: 1, baseSeconds: 600, maximumSeconds: 600}
            routes: [{name: down, path: /, cluster: down}]
            """
        try await GatewayFixture.run(yaml: yaml) { gateway in
            #expect(try await gateway.client.get("/").status == .serviceUnavailable)
            let endpoints = try await gateway.control.get("/admin/clusters").json[0]["endpoints"].array
            let out = try #require(endpoints.first { $0["available"] == false })
            let until = try #require(Timestamp(rfc3339: out["ejectedUntil"].string ?? ""))
            let now = Timestamp(Date())
            #expect(until > now && until < now + .seconds(601) && out["ejections"] == 1)
            #expect(endpoints.count { $0["available"] == true } == 1)
            let metrics = try await gateway.control.get("/metrics").text
            let address = out["address"].string?.split(separator: ":").first ?? ""
            #expect(
                metrics.contains(#"gateway_endpoint_ejected{cluster="down",server_address="\#(address)",server_port="9"} 1"#), "\(metrics)")
            #expect(metrics.contains(#"gateway_endpoint_ejections_total{cluster="down",server_address="\#(address)",server_port="9"} 1"#))
        }
    }

    // MARK: Who may ask

    @Test("only requests for a name that is always this machine are answered: no page may ask by a name of its own")
    func rebinding() async throws {
        let host = try #require(HTTPField.Name("Host"))
        try await GatewayFixture.run(yaml: Self.yaml) { gateway in
            for path in Self.paths {
                for name in [
                    "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0", "",
                ] {
                    let reply = try await gateway.control.get(path, headers: [host: name])
                    #expect([.forbidden, .badRequest].contains(reply.status), "\(path) of \(name)")
                    #expect(!reply.text.contains("127.0.0.1"))
                }
                for name in ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:80"] {
                    let reply = try await gateway.control.get(path, headers: [host: name])
                    #expect(reply.status == .ok, "\(path) of \(name)")
                    #expect(reply.headers[.accessControlAllowOrigin] == nil)
                }
                for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
                    let reply = try await gateway.control.get(path, headers: [.fetchSite: site])
                    #expect(reply.status.code == status, "\(path) from \(site)")
                }
            }
        }
    }

    @Test("it can only be read, and no path of the data plane leads to it")
    func readOnly() async throws {
        let host = try #require(HTTPField.Name("Host"))
        try await GatewayFixture.run(yaml: Self.yaml) { gateway in
            for path in Self.paths {
                let through = try await gateway.client.get(path)
                let asLocal = try await gateway.client.get(path, headers: [host: "localhost"])
                #expect(through.status == .notFound && asLocal.status == .notFound)
                for method in [HTTPRequest.Method.post, .put, .patch, .delete] {
                    let reply = try await gateway.control.send(method, path)
                    #expect(reply.status == .methodNotAllowed)
                }
            }
        }
    }

    // MARK: The configuration

    @Test("what is secret in a configuration is in no document")
    func secrets() async throws {
        try await GatewayFixture.run(yaml: Self.yaml) { gateway in
            for path in Self.paths {
                let text = try await gateway.control.get(path).text
                #expect(!text.contains("hunter2"))
            }
            let route = try await gateway.control.get("/admin/configuration").json["configuration"]["routes"][3]
            #expect(route["name"] == "secretive" && route["headers"] == ["X-Origin-Verify": "[redacted]", "X-Any": ""])
        }
    }

    @Test("a file that was not taken shows why, and what is in force stays shown; then what is in force is the new one")
    func reloads() async throws {
        try await GatewayFixture.run(yaml: Self.yaml) { gateway in
            func document(until isSo: (JSONValue) -> Bool) async throws -> JSONValue {
                while true {
                    try Task.checkCancellation()
                    let document = try await gateway.control.get("/admin/configuration").json
                    if isSo(document) { return document }
                }
            }
            let first = try await document { _ in true }
            #expect(first["loads"] == 1 && first["failure"] == .null && first["file"].string?.hasSuffix("gateway.yaml") == true)
            try gateway.rewrite(Self.yaml.replacing("path: /open", with: "path: open"))
            let failed = try await document { $0["failure"] != .null }
            #expect(failed["failure"]["error"].string?.contains("gateway.yaml, line 7: “path” must begin with /") == true)
            #expect(Timestamp(rfc3339: failed["failure"]["time"].string ?? "") != nil)
            #expect(failed["loads"] == 1 && failed["configuration"] == first["configuration"])
            #expect(try await gateway.control.get("/metrics").text.contains("\ngateway_configuration_stale 1\n"))
            try gateway.rewrite(Self.yaml.replacing("path: /open", with: "path: /opened"))
            let second = try await document { $0["failure"] == .null }
            #expect(second["loads"] == 2 && second["configuration"]["routes"][0]["path"] == "/opened")
            #expect(try await gateway.control.get("/metrics").text.contains("\ngateway_configuration_stale 0\n"))
        }
    }
}
