import Testing

@testable import HTTPProxy

@Suite("What callers have taken, for the others")
struct TakingsTests {
    private let rate = CellRate(quota: 10, windowNanoseconds: 1_000, burst: 5)
    private let caller = SharedCaller(limit: "all/few", caller: "name ann")

    private func take(_ takings: inout Takings, _ hash: UInt64 = 1, now: Int64) { takings.take(rate, of: hash, now: now) { caller } }

    @Test("is the sum of their intervals, and the time of one who has just come")
    func sums() {
        var takings = Takings(capacity: 8)
        for now in [1_000, 1_000, 1_050, 5_000] as [Int64] { take(&takings, now: now) }
        #expect(takings.total(of: 1) == 400 && takings.total(of: 2) == 0)
        let removed = takings.removeAll()
        #expect(removed.entries == [1: Taking(caller: caller, total: 400, arrival: 5_100)] && removed.untold == 0)
        #expect(takings.removeAll().entries.isEmpty)
    }

    @Test("is less what is given back, also when that was told before; of one taken and given back nothing is left")
    func givenBack() {
        var takings = Takings(capacity: 8)
        take(&takings, now: 1_000)
        takings.giveBack(rate, of: 1, now: 1_000) { caller }
        #expect(takings.removeAll().entries.isEmpty)
        takings.giveBack(rate, of: 1, now: 2_000) { caller }
        #expect(takings.total(of: 1) == -100)
        take(&takings, now: 2_000)
        // The two make nothing in sum, but whoever was no more ahead is so now.
        #expect(takings.removeAll().entries == [1: Taking(caller: caller, total: 0, arrival: 2_100)])
    }

    @Test("is kept of as many as there is room for; of others it is counted what nobody is told")
    func bounded() {
        var takings = Takings(capacity: 2)
        for hash in 1...4 as ClosedRange<UInt64> { take(&takings, hash, now: 1_000) }
        take(&takings, 1, now: 1_000)
        let removed = takings.removeAll()
        #expect(Set(removed.entries.keys) == [1, 2] && removed.entries[1]?.total == 200 && removed.untold == 2)
        take(&takings, 3, now: 1_000)
        #expect(takings.removeAll().untold == 0)
    }
}
