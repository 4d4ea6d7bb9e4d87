import NIOCore
import Testing

@testable import HTTPProxy

@Suite("The health of a cluster's endpoints")
struct ClusterHealthTests {
    private static let endpoints = (0..<20).map { Endpoint(host: "10.0.0.\($0)", port: 80) }

    private static func cluster(_ count: Int) -> ClusterHealth {
        ClusterHealth(Array(endpoints.prefix(count)), detection: OutlierDetection())
    }

    private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    /// As many failures as put an endpoint out; what the last one did.
    private static func fail(_ health: ClusterHealth, _ index: Int, at seconds: Int64) -> HealthChange? {
        var change: HealthChange?
        for _ in 0..<5 { change = health.failed(index, now: at(seconds)) }
        return change
    }

    @Test("the fifth failure in a row puts an endpoint out for 30 seconds; then it is in by itself")
    func ejection() {
        let health = Self.cluster(3)
        for _ in 0..<4 { #expect(health.failed(1, now: Self.at(0)) == nil) }
        #expect(health.isAllWell)
        #expect(health.failed(1, now: Self.at(0)) == .ejected(for: .seconds(30)))
        #expect(!health.isAllWell)
        #expect(health.candidates(now: Self.at(29)) == [0, 2])
        #expect(health.candidates(now: Self.at(30)) == [0, 1, 2])
        #expect(health.readmit(now: Self.at(29)) == [])
        #expect(health.readmit(now: Self.at(30)) == [1])
        #expect(health.isAllWell)
    }

    @Test("a success in between begins the row anew")
    func success() {
        let health = Self.cluster(3)
        for _ in 0..<3 {
            for _ in 0..<4 { #expect(health.failed(1, now: Self.at(0)) == nil) }
            health.succeeded(1)
        }
        #expect(health.isAllWell)
    }

    @Test("each time it is out for longer, up to five minutes, and every ten quiet seconds take one time off")
    func longer() {
        let health = Self.cluster(3)
        var now: Int64 = 0
        for time in [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300] as [Int64] {
            #expect(Self.fail(health, 0, at: now) == .ejected(for: .seconds(time)))
            now += time
            #expect(health.readmit(now: Self.at(now)) == [0])
        }
        // Twelve times; after 100 quiet seconds two are left, and this is the third.
        #expect(Self.fail(health, 0, at: now + 100) == .ejected(for: .seconds(90)))
        #expect(health.readmit(now: Self.at(now + 190)) == [0])
        #expect(Self.fail(health, 0, at: now + 10_000) == .ejected(for: .seconds(30)))
    }

    @Test("of few one may be out, of twenty two, and never the last")
    func bounded() {
        let one = Self.cluster(1)
        #expect(Self.fail(one, 0, at: 0) == nil)
        let two = Self.cluster(2)
        #expect(Self.fail(two, 0, at: 0) != nil)
        #expect(Self.fail(two, 1, at: 0) == nil)
        #expect(two.candidates(now: Self.at(1)) == [1])
        let twenty = Self.cluster(20)
        #expect((0..<20).filter { Self.fail(twenty, $0, at: 0) != nil } == [0, 1])
        #expect(twenty.candidates(now: Self.at(1)) == Array(2..<20))
    }

    @Test("what was sent before it was put out, and fails now, does not prolong it")
    func stragglers() {
        let health = Self.cluster(3)
        #expect(Self.fail(health, 1, at: 0) == .ejected(for: .seconds(30)))
        for _ in 0..<20 { #expect(health.failed(1, now: Self.at(20)) == nil) }
        // Its time is over, and nobody has taken notice yet.
        #expect(health.failed(1, now: Self.at(30)) == nil)
        #expect(health.readmit(now: Self.at(30)) == [1])
    }

    @Test("three bad probes in a row take an endpoint out, two good ones bring it back, without end")
    func probes() {
        let health = Self.cluster(3)
        let check = HealthCheck(path: "/ready")
        for _ in 0..<3 {
            #expect(health.probed(1, isGood: false, check: check) == nil)
            #expect(health.probed(1, isGood: true, check: check) == nil)
            #expect(health.probed(1, isGood: false, check: check) == nil)
            #expect(health.probed(1, isGood: false, check: check) == nil)
            #expect(health.probed(1, isGood: false, check: check) == .failedProbes)
            #expect(health.candidates(now: Self.at(1_000_000)) == [0, 2])
            #expect(health.probed(1, isGood: true, check: check) == nil)
            #expect(health.probed(1, isGood: true, check: check) == .recovered)
            #expect(health.isAllWell)
        }
    }

    @Test("when less than half are worth a request, all get some")
    func panic() {
        let health = Self.cluster(4)
        let check = HealthCheck(path: "/")
        for index in 0..<2 {
            for _ in 0..<3 { _ = health.probed(index, isGood: false, check: check) }
        }
        #expect(health.candidates(now: Self.at(0)) == [2, 3])
        for _ in 0..<3 { _ = health.probed(2, isGood: false, check: check) }
        #expect(health.candidates(now: Self.at(0)) == [0, 1, 2, 3])
    }

    @Test("an endpoint that stays keeps what is known of it when others come and go")
    func inherited() {
        let health = Self.cluster(3)
        #expect(Self.fail(health, 1, at: 0) != nil)
        let next = ClusterHealth(Array(Self.endpoints[1...4]), detection: OutlierDetection(), previous: health)
        #expect(!next.isAllWell)
        #expect(next.candidates(now: Self.at(1)) == [1, 2, 3])
        #expect(next.readmit(now: Self.at(30)) == [0])
    }
}
