import HTTPProxy
import NIOCore
import NIOHTTP1
import Testing

@testable import APIGateway

@Suite("Where a route of the configuration file leads")
struct ConfigurationTargetsTests {
    private static func targets(_ route: String) throws -> GatewayConfiguration.RouteEntry {
        let yaml = """
            clusters: [{name: a, endpoints: ["http://127.0.0.1:1"]}, {name: b, endpoints: ["http://127.0.0.1:2"]}]
            routes: [{name: r, path: /x, \(route)}]
            """
        return try GatewayConfiguration(yaml: yaml, variables: [:]).routes[0]
    }

    @Test("a route leads to a cluster, to several, elsewhere, or to an answer")
    func targets() throws {
        let split = try Self.targets("split: [{cluster: a, weight: 95}, {cluster: b, weight: 5}], pinnedBy: X-Variant, rewrite: /y")
        guard case .split(let shares) = split.target else { return #expect(Bool(false), "\(split.target)") }
        #expect(shares == WeightedSplit([.init(cluster: "a", weight: 95), .init(cluster: "b", weight: 5)], pinnedBy: "X-Variant"))
        #expect(split.rewrite == "/y")
        for (text, expected) in [
            ("{to: /y}", Redirect(status: 308, location: "/y")),
            ("{to: 'https://b.example/z', status: 302}", Redirect(status: 302, location: "https://b.example/z")),
        ] {
            guard case .redirect(let redirect) = try Self.targets("redirect: \(text)").target else {
                return #expect(Bool(false), "\(text)")
            }
            #expect(redirect == expected)
        }
        guard case .fixed(let response) = try Self.targets("respond: {status: 410, text: Gone}").target else { return #expect(Bool(false)) }
        #expect(response.status == .gone && String(buffer: response.body) == "Gone")
        #expect(response.headers["content-type"] == ["text/plain; charset=utf-8"])
        let headers = try Self.targets("cluster: a, headers: {X-Beta: 1, X-Any: ''}").headers
        #expect(headers == [HeaderMatch(name: "X-Beta", value: "1"), HeaderMatch(name: "X-Any")])
    }

    @Test(
        "a route that leads nowhere, or to two places, is a mistake",
        arguments: [
            ("exact: true", "“cluster” is missing"), ("cluster: a, redirect: {to: /y}", "“redirect” cannot be beside “cluster”"),
            ("cluster: a, pinnedBy: X", "“pinnedBy” needs a “split”"), ("redirect: {to: /y}, rewrite: /z", "“rewrite” needs a cluster"),
            ("split: [{cluster: c, weight: 1}]", "there is no cluster “c”"), ("split: [{cluster: a, weight: 0}]", "gives nobody anything"),
            ("split: [{cluster: a}]", "“weight” is missing"), ("split: a", "“split” must be a list"),
            ("redirect: {to: 'y'}", "“to” must be a path or an address"), ("redirect: {to: //evil.example}", "“to” must be a path or an"),
            ("redirect: {to: '/a?b'}", "without a query"), ("redirect: {to: '/a b'}", "without a query"),
            ("redirect: {to: 'javascript:x'}", "“to” must be a path or an address"), ("redirect: {status: 308}", "“to” is missing"),
            ("redirect: {to: /y, status: 304}", "“status” must be 301, 302, 303, 307 or 308"), ("redirect: /y", "must be a mapping"),
            ("cluster: a, rewrite: 'https://b.example'", "“rewrite” must be a path without a query"),
            ("respond: {text: x}", "“status” is missing"), ("respond: {status: 100}", "“status” must be a whole number between 200 and"),
            ("respond: {status: 200, contentType: \"a\\r\\nb: c\"}", "must be of visible ASCII characters"),
            ("cluster: a, headers: [x]", "“headers” must be a mapping"),
            ("cluster: a, headers: {x: [1]}", "must be a mapping of names to texts"),
        ])
    func badTargets(route: String, words: String) throws {
        let error = #expect(throws: GatewayConfigurationError.self) { try Self.targets(route) }
        #expect(error?.sentence.contains(words) == true, "\(error?.sentence ?? "")")
    }
}
