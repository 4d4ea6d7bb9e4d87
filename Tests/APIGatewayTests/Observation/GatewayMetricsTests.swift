import Chassis
import Foundation
import HTTPProxy
import NIOCore
import Testing

@testable import APIGateway
@testable import HTTPProxy

@Suite("The gateway's metrics")
struct GatewayMetricsTests {
    /// A metric as a table or a scrape tells of it.
    private struct Told: Hashable {
        let name: String
        let type: String
        let labels: Set<String>
    }

    private static let endpoint = Endpoint(host: "10.0.0.1", port: 80)

    /// A status in which everything is there.
    private static func status(of name: String) -> ProxyStatus {
        var endpoint = EndpointStatus(
            endpoint: endpoint, isHealthy: false, ejectedFor: .seconds(1), ejections: 1, consecutiveFailures: 2)
        endpoint.activeConnections = 3
        endpoint.idleConnections = 4
        endpoint.waitingRequests = 5
        var cluster = ClusterStatus(name: name, isPanicking: false, endpoints: [endpoint])
        cluster.breaker = BreakerStatus(closedLoops: 6, halfOpenLoops: 7, openLoops: 8)
        var status = ProxyStatus(clusters: [cluster])
        status.activeRequests = 9
        status.clientConnections = 10
        (status.cache.bytes, status.cache.capacity, status.cache.entries) = (13, 14, 15)
        return status
    }

    /// Counts everything that there is to count.
    private static func countAll(into metrics: GatewayMetrics) {
        metrics.record(
            ExchangeMeasurement(
                routeName: "r", clusterName: "a", statusClass: 2, totalNanoseconds: 1_000_000, requestBytes: 0, responseBytes: 0,
                cache: .hit))
        for incident in [
            ProxyIncident.retried, .breakerOpened, .breakerHalfOpened, .breakerClosed, .refusedByBreaker,
            .ejected(endpoint, for: .seconds(1)), .readmitted(endpoint), .failedProbes(endpoint), .recovered(endpoint),
            .lookupFailed(name: "shop"), .addressesChanged(came: [endpoint], went: []),
        ] { metrics.record(incident, of: "a") }
        metrics.limited(route: "r", limit: "l")
        for event in [SharedRateLimits.Event.exchanged(within: .milliseconds(3)), .failed, .untold(requests: 13)] { metrics.record(event) }
    }

    /// What a scrape shows, without the process's own.
    private static func told(_ text: String) -> Set<Told> {
        var labels: [String: Set<String>] = [:]
        var types: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") { types[String(words[2])] = String(words[3]) }
            guard !line.hasPrefix("#") else { continue }
            let name = line.prefix { $0 != "{" && $0 != " " }
            let found = line.matches(of: /([a-z_]+)="/).map { String($0.1) }
            for suffix in ["", "_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
                labels[String(name.dropLast(suffix.count)), default: []].formUnion(found)
            }
        }
        return Set(
            types.filter { !$0.key.hasPrefix("metrics_") }.map { name, type in
                Told(name: name, type: type, labels: (labels[name] ?? []).subtracting(["le"]))
            })
    }

    /// Everything shown once, in a registry of its own.
    private static func scrape() -> String {
        let registry = PrometheusRegistry(processMetrics: false)
        countAll(into: GatewayMetrics(registry))
        GatewayGauges(registry).show(
            GatewayGauges.Reading.of(status: status(of: "a"), callers: 11, capacity: 12, areLimitsShared: true, isStale: true))
        return registry.render()
    }

    @Test("docs/gateway.md tells of every metric, with its type and its labels, and of no other")
    func documented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/gateway.md"), encoding: .utf8)
        let table = try #require(text.components(separatedBy: "\n| metric |").dropFirst().first)
        let rows = table.split(separator: "\n").dropFirst(2).prefix { $0.hasPrefix("|") }
        let documented = rows.map { row in
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let labels = cells[2].matches(of: /`([a-z_]+)`/).map { String($0.1) }
            return Told(name: cells[0].trimmingCharacters(in: ["`"]), type: cells[1], labels: Set(labels))
        }
        #expect(Set(documented) == Self.told(Self.scrape()))
        #expect(documented.count == GatewayMetric.allCases.count)
    }

    @Test("the numbers are those of the status")
    func values() {
        let text = Self.scrape()
        let endpoint = #"cluster="a",server_address="10.0.0.1",server_port="80""#
        for line in [
            "http_server_active_requests 9", "gateway_client_connections 10", "http_client_active_requests{\(endpoint)} 3",
            #"http_client_open_connections{cluster="a",http_connection_state="active",server_address="10.0.0.1",server_port="80"} 3"#,
            #"http_client_open_connections{cluster="a",http_connection_state="idle",server_address="10.0.0.1",server_port="80"} 4"#,
            "gateway_waiting_requests{\(endpoint)} 5", "gateway_endpoint_ejected{\(endpoint)} 1",
            "gateway_endpoint_unhealthy{\(endpoint)} 1", "gateway_endpoint_ejections_total{\(endpoint)} 1",
            #"gateway_breaker_loops{cluster="a",state="closed"} 6"#, #"gateway_breaker_loops{cluster="a",state="half_open"} 7"#,
            #"gateway_breaker_loops{cluster="a",state="open"} 8"#, #"gateway_breaker_openings_total{cluster="a"} 1"#,
            #"gateway_breaker_refused_total{cluster="a"} 1"#, #"gateway_retries_total{cluster="a"} 1"#,
            #"gateway_dns_changes_total{cluster="a"} 1"#, #"gateway_dns_failures_total{cluster="a"} 1"#,
            #"gateway_rate_limited_total{http_route="r",limit="l"} 1"#, "gateway_rate_limit_callers 11", "gateway_rate_limit_capacity 12",
            "gateway_rate_limit_shared 1", "gateway_rate_limit_exchange_duration_seconds_count 1",
            "gateway_rate_limit_exchange_failures_total 1", "gateway_rate_limit_untold_total 13", "gateway_configuration_stale 1",
            "gateway_cache_bytes 13", "gateway_cache_capacity 14", "gateway_cache_entries 15",
            #"gateway_cache_requests_total{http_route="r",result="hit"} 1"#,
            #"gateway_request_duration_seconds_bucket{cluster="a",http_route="r",status="2xx",le="0.005"} 1"#,
        ] { #expect(text.contains("\n\(line)\n"), "\(line) in \(text)") }
    }

    @Test("what a new configuration does not have any more is not shown any more")
    func forgotten() {
        let registry = PrometheusRegistry(processMetrics: false)
        let gauges = GatewayGauges(registry)
        gauges.show(GatewayGauges.Reading.of(status: Self.status(of: "old"), callers: 0, capacity: 0, areLimitsShared: nil, isStale: false))
        #expect(registry.render().contains(#"cluster="old""#))
        gauges.show(GatewayGauges.Reading.of(status: Self.status(of: "new"), callers: 0, capacity: 0, areLimitsShared: nil, isStale: false))
        #expect(!registry.render().contains(#"cluster="old""#) && registry.render().contains(#"cluster="new""#))
        gauges.show(GatewayGauges.Reading.of(status: nil, callers: 0, capacity: 0, areLimitsShared: nil, isStale: false))
        #expect(!registry.render().contains("cluster"))
    }

    @Test("addresses that come and go leave no trace: what is counted of them is counted by their name")
    func names() {
        let registry = PrometheusRegistry(processMetrics: false)
        let metrics = GatewayMetrics(registry)
        for number in 0..<100 {
            metrics.record(.ejected(Endpoint(address: "10.0.0.\(number)", port: 80, name: "shop"), for: .seconds(1)), of: "a")
        }
        let counted = registry.render().split(separator: "\n").filter { !$0.hasPrefix("#") && $0.contains("ejections") }
        #expect(counted == [#"gateway_endpoint_ejections_total{cluster="a",server_address="shop",server_port="80"} 100"#])
    }

    @Test("a route that leads to several clusters is measured for each")
    func split() {
        let registry = PrometheusRegistry(processMetrics: false)
        let metrics = GatewayMetrics(registry)
        for cluster in ["a", "b", "a", nil] {
            metrics.record(
                ExchangeMeasurement(
                    routeName: "r", clusterName: cluster, statusClass: 2, totalNanoseconds: 1, requestBytes: 0, responseBytes: 0, cache: nil
                ))
        }
        let text = registry.render()
        for (cluster, count) in [("a", 2), ("b", 1), ("none", 1)] {
            #expect(text.contains(#"gateway_request_duration_seconds_count{cluster="\#(cluster)",http_route="r",status="2xx"} \#(count)"#))
        }
    }
}
