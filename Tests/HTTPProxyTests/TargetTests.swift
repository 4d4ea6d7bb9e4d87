import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

@Suite("Where a route leads", .timeLimit(.minutes(1)))
struct TargetTests {
    /// A proxy before two upstreams, `old` and `new`, which answer with their name and the path that they were asked for.
    private func withRoutes(_ routes: [Route], _ body: (RawClient) async throws -> Void) async throws {
        var upstreams: [TestUpstream] = []
        var clusters: [Cluster] = []
        for name in ["old", "new"] {
            let upstream = try await TestUpstream.start(answer: { request in
                TestUpstream.Response(headers: ["x-cluster": name, "x-path": request.head.uri])
            })
            upstreams.append(upstream)
            clusters.append(Cluster(name: name, endpoints: [upstream.endpoint]))
        }
        try await withProxy(ProxyConfiguration(clusters: clusters, routes: routes)) { (_, port: Int) async throws in
            try await body(try await RawClient.connect(port: port))
        }
        for upstream in upstreams { try await upstream.stop() }
    }

    @Test("a split gives each cluster its share, and whoever names one gets that one")
    func split() async throws {
        let shares = [WeightedSplit.Share(cluster: "old", weight: 3), .init(cluster: "new", weight: 1)]
        let route = Route(name: "r", path: .prefix("/"), target: .split(WeightedSplit(shares, pinnedBy: "X-Variant")))
        try await withRoutes([route]) { (client: RawClient) async throws in
            var new = 0
            for _ in 0..<1_000 where try await client.get("/")["x-cluster"] == "new" { new += 1 }
            // A quarter; further away than this is one run of ten million (six standard deviations).
            #expect((168...332).contains(new), "\(new)")
            for name in ["new", "old"] {
                for _ in 0..<20 {
                    let response = try await client.get("/", "X-Variant: \(name)\r\n")
                    #expect(response["x-cluster"] == name)
                }
            }
            let stranger = try await client.get("/", "X-Variant: newer\r\n")
            #expect(stranger.status == 200)
        }
    }

    @Test("a weight of 0 is only for those who name it")
    func zero() async throws {
        let shares = [WeightedSplit.Share(cluster: "new", weight: 0), .init(cluster: "old", weight: 1)]
        let route = Route(name: "r", path: .prefix("/"), target: .split(WeightedSplit(shares, pinnedBy: "x-variant")))
        try await withRoutes([route]) { (client: RawClient) async throws in
            for _ in 0..<200 {
                let response = try await client.get("/")
                #expect(response["x-cluster"] == "old")
            }
            let pinned = try await client.get("/", "X-Variant: new\r\n")
            #expect(pinned["x-cluster"] == "new")
        }
    }

    @Test("a rewrite stands in place of the prefix, of its segments and not of its letters, and leaves the query alone")
    func rewrite() async throws {
        let routes = [
            Route(name: "api", path: .prefix("/api"), rewrite: "/v2/", target: .cluster("old")),
            Route(name: "cut", path: .prefix("/cut/{id}"), rewrite: "/", target: .cluster("old")),
            Route(name: "one", path: .template("/one/{id}"), rewrite: "/other", target: .cluster("old")),
        ]
        try await withRoutes(routes) { (client: RawClient) async throws in
            for (path, sent) in [
                ("/api", "/v2"), ("/api/", "/v2/"), ("/api/users/7?x=%2Fapi", "/v2/users/7?x=%2Fapi"), ("/api//b", "/v2/b"),
                ("/cut/7", "/"), ("/cut/7/", "/"), ("/cut/7/x?y", "/x?y"), ("/one/7?a=b", "/other?a=b"), ("/api/api", "/v2/api"),
            ] {
                let response = try await client.get(path)
                #expect(response["x-path"] == sent, "\(path)")
            }
            #expect(try await client.get("/apis").status == 404)
        }
    }

    @Test("a redirect keeps the rest of the path and the query, and nothing of it can become another header or host")
    func redirect() async throws {
        let routes = [
            Route(name: "moved", path: .prefix("/old"), target: .redirect(Redirect(location: "/new"))),
            Route(name: "away", path: .prefix("/away"), target: .redirect(Redirect(status: 302, location: "https://shop.example/x"))),
            Route(name: "one", path: .template("/one/{id}"), target: .redirect(Redirect(status: 301, location: "/"))),
            Route(name: "root", path: .prefix("/"), target: .redirect(Redirect(status: 307, location: "https://b.example"))),
        ]
        try await withRoutes(routes) { (client: RawClient) async throws in
            for (path, status, location) in [
                ("/old", 308, "/new"), ("/old/a/b?c=d", 308, "/new/a/b?c=d"), ("/away/p?q", 302, "https://shop.example/x/p?q"),
                ("/one/7?a", 301, "/?a"), ("/z", 307, "https://b.example/z"), ("/", 307, "https://b.example/"),
                ("//evil.example/x", 307, "https://b.example/evil.example/x"), ("/old//evil.example", 308, "/new/evil.example"),
            ] {
                let response = try await client.get(path)
                #expect(response.status == status && response["location"] == location, "\(path): \(response.head)")
                #expect(response["content-length"] == "0")
            }
            let injected = try await client.get("/old/%0d%0aSet-Cookie:a=b")
            #expect(injected["set-cookie"] == nil && injected.status != 200, "\(injected.head)")
        }
    }

    @Test("a fixed response is what it is")
    func fixed() async throws {
        let gone = LocalResponse(status: .gone, contentType: "text/plain", text: "No longer here.")
        try await withRoutes([Route(name: "gone", path: .prefix("/gone"), target: .fixed(gone))]) { (client: RawClient) async throws in
            let response = try await client.get("/gone/for/good")
            #expect(response.status == 410 && response.body == "No longer here." && response["content-type"] == "text/plain")
            #expect(response["x-request-id"] != nil)
        }
    }

    @Test("a route with fields takes only requests that have them all, and comes before the one without")
    func headers() async throws {
        let routes = [
            Route(name: "plain", path: .prefix("/"), target: .cluster("old")),
            Route(name: "beta", headers: [HeaderMatch(name: "x-beta")], path: .prefix("/"), target: .cluster("new")),
            Route(
                name: "both", headers: [HeaderMatch(name: "X-Beta", value: "2"), HeaderMatch(name: "X-More")], path: .prefix("/"),
                target: .fixed(LocalResponse(status: .imATeapot))),
        ]
        try await withRoutes(routes) { (client: RawClient) async throws in
            for (fields, expected) in [
                ("", "old"), ("X-Other: 1\r\n", "old"), ("X-Beta: 1\r\n", "new"), ("x-beta:\r\n", "new"), ("X-Beta: 2\r\n", "new"),
                ("X-Beta: 2\r\nX-More: 1\r\n", nil), ("X-Beta: 1\r\nX-More: 1\r\n", "new"),
            ] as [(String, String?)] {
                let response = try await client.get("/", fields)
                #expect(response["x-cluster"] == expected && response.status == (expected == nil ? 418 : 200), "\(fields)")
            }
        }
    }

    @Test("what cannot be is told at the start")
    func mistakes() {
        let cluster = Cluster(name: "a", endpoints: [Endpoint(host: "127.0.0.1", port: 1)])
        func split(_ shares: [WeightedSplit.Share]) -> Route { Route(name: "r", path: .prefix("/"), target: .split(WeightedSplit(shares))) }
        for (routes, words) in [
            ([split([])], "all weights are 0"), ([split([.init(cluster: "a", weight: 0)])], "all weights are 0"),
            ([split([.init(cluster: "a", weight: -1), .init(cluster: "a", weight: 5)])], "a weight is below 0"),
            ([split([.init(cluster: "b", weight: 1)])], "the cluster b, which is not there"),
            (
                ["r", "s"].map {
                    Route(name: $0, headers: [HeaderMatch(name: "x", value: "1")], path: .prefix("/"), target: .cluster("a"))
                },
                "take the same requests"
            ),
        ] {
            let error = #expect(throws: ProxyConfigurationError.self) {
                try RouteTable(ProxyConfiguration(clusters: [cluster], routes: routes))
            }
            #expect("\(error.map(String.init(describing:)) ?? "")".contains(words))
        }
    }
}
