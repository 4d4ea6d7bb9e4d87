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

    private static func endpoints(_ numbers: some Sequence<Int>) -> [Endpoint] { numbers.map { Endpoint(host: "10.0.0.\($0)", port: 80) } }

    private static func pools(_ endpoints: [Endpoint]) -> [EndpointPool] {
        let loop = EmbeddedEventLoop()
        return endpoints.map { EndpointPool(endpoint: $0, limits: ConnectionLimits(), connector: NoConnector(), eventLoop: loop) }
    }

    private static func cluster(_ count: Int, _ balancing: LoadBalancing) -> LoopCluster {
        let endpoints = endpoints(0..<count)
        var cluster = Cluster(name: "some", endpoints: endpoints)
        cluster.balancing = balancing
        return LoopCluster(
            cluster, pools: pools(endpoints), health: ClusterHealth(endpoints, detection: OutlierDetection()), now: .uptimeNanoseconds(0))
    }

    private static func generator() -> IdentifierGenerator {
        var system = SystemRandomNumberGenerator()
        return IdentifierGenerator(seededBy: &system)
    }

    private static func counts(_ cluster: LoopCluster, avoiding avoided: Int? = nil, draws: Int = 6000) -> [Int] {
        var generator = generator()
        var counts = [Int](repeating: 0, count: cluster.pools.count)
        for _ in 0..<draws {
            guard let index = cluster.choose(key: 0, avoiding: avoided, now: .uptimeNanoseconds(0), random: { generator.next() }) else {
                continue
            }
            counts[index] += 1
        }
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

    // MARK: Endpoints that come and go

    /// The same cluster with these endpoints; those that stay keep their pools.
    private static func change(_ cluster: LoopCluster, to endpoints: [Endpoint]) {
        let known = cluster.pools
        let pools = endpoints.map { endpoint in known.first { $0.endpoint == endpoint } ?? Self.pools([endpoint])[0] }
        cluster.adopt(pools, ClusterHealth(endpoints, detection: OutlierDetection(), previous: cluster.health))
    }

    @Test("by hash only keys of endpoints that go or come move, and others keep theirs, wherever they stand in the list")
    func hashedChange() throws {
        let cluster = Self.cluster(6, .consistentHash(by: .path))
        let keys = (0..<5000).map { HashRanking.hash("key-\($0)".utf8) }
        func homes() throws -> [Endpoint] {
            try keys.map { key in
                let index = cluster.choose(key: key, avoiding: nil, now: .uptimeNanoseconds(0)) { 0 }
                return cluster.pools[try #require(index)].endpoint
            }
        }
        let before = try homes()
        // The first goes, so that all others stand elsewhere; one comes.
        let (gone, new) = (Self.endpoints([0])[0], Self.endpoints([9])[0])
        Self.change(cluster, to: Self.endpoints([1, 2, 3, 4, 5, 9]))
        let after = try homes()
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0 == gone || $1 == new })
        #expect(!after.contains(gone) && before.count { $0 == gone } > 600)
        #expect((600...1100).contains(after.count { $0 == new }))
        Self.change(cluster, to: Self.endpoints(0..<6))
        #expect(try homes() == before)
    }

    @Test("a cluster that has no endpoint yet gives none, and one that loses some asks only those that are left")
    func none() {
        let cluster = Self.cluster(0, .leastRequest)
        #expect(cluster.choose(key: 0, avoiding: nil, now: .uptimeNanoseconds(0)) { 0 } == nil)
        Self.change(cluster, to: Self.endpoints([1]))
        #expect(Self.counts(cluster) == [6000])
        Self.change(cluster, to: Self.endpoints([1, 2, 3]))
        #expect(Self.counts(cluster).allSatisfy { $0 > 1700 })
        Self.change(cluster, to: Self.endpoints([2, 3]))
        #expect(Self.counts(cluster).allSatisfy { $0 > 2700 })
    }

    @Test("a pool is found wherever its endpoint stands now, and not when that has gone")
    func index() {
        let cluster = Self.cluster(3, .leastRequest)
        let pools = cluster.pools
        Self.change(cluster, to: Self.endpoints([2, 0, 7]))
        #expect(pools.indices.map { cluster.index(of: pools[$0], last: $0) } == [1, nil, 0])
        #expect(pools.map { cluster.hasOther(than: $0) } == [true, true, true])
        Self.change(cluster, to: Self.endpoints([2]))
        #expect(pools.map { cluster.hasOther(than: $0) } == [true, true, false])
    }

    @Test("an endpoint that is out stays out when it stands elsewhere in the list")
    func ejectedElsewhere() {
        let cluster = Self.cluster(3, .roundRobin)
        for _ in 0..<5 { _ = cluster.health.failed(2, now: .uptimeNanoseconds(0)) }
        #expect(Self.counts(cluster)[2] == 0)
        Self.change(cluster, to: Self.endpoints([2, 4, 5, 6]))
        #expect(Self.counts(cluster) == [0, 2000, 2000, 2000])
    }
}
