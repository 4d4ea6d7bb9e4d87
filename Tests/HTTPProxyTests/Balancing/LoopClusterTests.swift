import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPProxy

@Suite("The choice of an endpoint")
struct LoopClusterTests {
    /// Opens nothing.
    private final class NoConnector: UpstreamConnector {
        func connect(_ pool: EndpointPool) {}

        func probe(_ endpoint: Endpoint, tls: ClientTLS?, _ check: HealthCheck) -> EventLoopFuture<Bool> {
            EmbeddedEventLoop().makeFailedFuture(ProbeError.noAnswer)
        }
    }

    private static func cluster(_ count: Int, _ balancing: LoadBalancing) -> LoopCluster {
        let endpoints = (0..<count).map { Endpoint(host: "10.0.0.\($0)", port: 80) }
        var cluster = Cluster(name: "some", endpoints: endpoints)
        cluster.balancing = balancing
        let loop = EmbeddedEventLoop()
        let pools = endpoints.map { EndpointPool(endpoint: $0, limits: ConnectionLimits(), connector: NoConnector(), eventLoop: loop) }
        return LoopCluster(
            cluster, pools: pools, health: ClusterHealth(endpoints, detection: OutlierDetection()), now: .uptimeNanoseconds(0))
    }

    private static func generator() -> IdentifierGenerator {
        var system = SystemRandomNumberGenerator()
        return IdentifierGenerator(seededBy: &system)
    }

    private static func counts(_ cluster: LoopCluster, avoiding avoided: Int? = nil, draws: Int = 6000) -> [Int] {
        var generator = generator()
        var counts = [Int](repeating: 0, count: cluster.pools.count)
        for _ in 0..<draws { counts[cluster.choose(key: 0, avoiding: avoided, now: .uptimeNanoseconds(0)) { generator.next() }] += 1 }
        return counts
    }

    @Test("two different ones are drawn, each pair as often as any other", arguments: [2, 3, 7])
    func pairs(count: Int) {
        var generator = Self.generator()
        var pairs: [[Int]: Int] = [:]
        let draws = 10_000 * count
        for _ in 0..<draws {
            let (first, second) = LoopCluster.twoDifferent(below: count, generator.next())
            pairs[[first, second], default: 0] += 1
        }
        #expect(pairs.keys.allSatisfy { $0[0] != $0[1] && (0..<count).contains($0[0]) && (0..<count).contains($0[1]) })
        #expect(pairs.count == count * (count - 1))
        let even = Double(draws) / Double(pairs.count)
        #expect(pairs.values.allSatisfy { abs(Double($0) - even) < 6 * even.squareRoot() }, "\(pairs)")
    }

    @Test("idle endpoints get the same by least request")
    func leastRequest() {
        let counts = Self.counts(Self.cluster(3, .leastRequest))
        #expect(counts.allSatisfy { abs($0 - 2000) < 250 }, "\(counts)")
    }

    @Test("in turn means in turn")
    func roundRobin() {
        #expect(Self.counts(Self.cluster(3, .roundRobin)) == [2000, 2000, 2000])
    }

    @Test(
        "who has just failed a request does not get it again while there is another", arguments: [LoadBalancing.leastRequest, .roundRobin])
    func avoided(balancing: LoadBalancing) {
        #expect(Self.counts(Self.cluster(3, balancing), avoiding: 1)[1] == 0)
        #expect(Self.counts(Self.cluster(1, balancing), avoiding: 0) == [6000])
    }

    @Test("who is out gets nothing; when more than half are, all get requests again")
    func unhealthy() {
        let cluster = Self.cluster(4, .leastRequest)
        let check = HealthCheck(path: "/")
        for _ in 0..<check.unhealthyAfter { _ = cluster.health.probed(2, isGood: false, check: check) }
        #expect(Self.counts(cluster)[2] == 0)
        for index in [0, 1] {
            for _ in 0..<check.unhealthyAfter { _ = cluster.health.probed(index, isGood: false, check: check) }
        }
        #expect(Self.counts(cluster).allSatisfy { $0 > 1000 })
    }
}
