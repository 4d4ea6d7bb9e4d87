import Testing

@testable import HTTPProxy

@Suite("The cell rate")
struct CellRateTests {
    private static let second: Int64 = 1_000_000_000

    @Test("a burst at once, then one an interval; a refused request moves nothing")
    func burst() {
        let rate = CellRate(quota: 60, windowNanoseconds: 60 * Self.second, burst: 3)
        var arrival: Int64 = 0
        let start: Int64 = 1
        for remaining in [2, 1, 0] as [Int64] {
            let decision = rate.take(&arrival, now: start)
            #expect(decision.isGranted && decision.remaining == remaining && decision.nanosecondsUntilNext == 0)
            #expect(decision.nanosecondsUntilWhole == (3 - remaining) * Self.second)
        }
        for _ in 0..<100 {
            let refused = rate.take(&arrival, now: start)
            #expect(!refused.isGranted && refused.remaining == 0 && refused.nanosecondsUntilNext == Self.second)
        }
        #expect(!rate.take(&arrival, now: start + Self.second - 1).isGranted)
        #expect(rate.take(&arrival, now: start + Self.second).isGranted)
        #expect(!rate.take(&arrival, now: start + Self.second).isGranted)
        // Whole again, and no more than whole, however long it took.
        for _ in 0..<3 { #expect(rate.take(&arrival, now: start + 1_000 * Self.second).isGranted) }
        #expect(!rate.take(&arrival, now: start + 1_000 * Self.second).isGranted)
    }

    @Test("what was given back can be had again")
    func givenBack() {
        let rate = CellRate(quota: 1, windowNanoseconds: Self.second, burst: 1)
        var arrival: Int64 = 0
        #expect(rate.take(&arrival, now: 5).isGranted)
        #expect(!rate.take(&arrival, now: 6).isGranted)
        rate.giveBack(&arrival)
        #expect(rate.take(&arrival, now: 6).isGranted)
    }

    @Test("in whatever stretch of time no more are granted than the burst and what refills; who waits as long as he is told is served")
    func bound() {
        var random = SeededRandom(20_261_126)
        for _ in 0..<300 {
            let quota = Int.random(in: 1...50, using: &random)
            let burst = Int.random(in: 1...quota * 2, using: &random)
            let rate = CellRate(quota: quota, windowNanoseconds: Int64.random(in: 100...10_000, using: &random) * 1_000, burst: burst)
            var (arrival, now): (Int64, Int64) = (0, 1)
            var grants: [Int64] = []
            for _ in 0..<400 {
                let decision = rate.take(&arrival, now: now)
                if decision.isGranted {
                    grants.append(now)
                } else {
                    var later = arrival
                    #expect(!rate.take(&later, now: now + decision.nanosecondsUntilNext - 1).isGranted)
                    #expect(rate.take(&later, now: now + decision.nanosecondsUntilNext).isGranted)
                }
                now += Int64.random(in: 0...rate.interval * 2, using: &random) * Int64.random(in: 0...1, using: &random)
            }
            for first in grants.indices {
                for last in grants.indices[first...] {
                    let most = Int64(burst) + (grants[last] - grants[first]) / rate.interval
                    #expect(Int64(last - first + 1) <= most)
                }
            }
        }
    }

    @Test("what is left is what would be granted now")
    func remaining() {
        var random = SeededRandom(7)
        let rate = CellRate(quota: 10, windowNanoseconds: 10_000, burst: 6)
        var (arrival, now): (Int64, Int64) = (0, 1)
        for _ in 0..<2_000 {
            let decision = rate.take(&arrival, now: now)
            var copy = arrival
            var more: Int64 = 0
            while rate.take(&copy, now: now).isGranted { more += 1 }
            #expect(more == decision.remaining)
            now += Int64.random(in: 0...2_500, using: &random)
        }
    }
}
