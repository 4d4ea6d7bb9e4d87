import Testing

@testable import HTTPProxy

@Suite("The memory of rate limits")
struct ArrivalTableTests {
    /// What a hash function gives: numbers spread over all 64 bits.
    private func hash(_ number: Int) -> UInt64 {
        var value = UInt64(bitPattern: Int64(number)) &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    @Test("it has the size that was asked for, rounded up, and remembers each caller", arguments: [1, 512, 513, 65_536])
    func size(capacity: Int) {
        let table = ArrivalTable(capacity: capacity)
        #expect(table.capacity >= capacity && table.capacity < capacity + 512 && table.capacity % 512 == 0)
        for number in 0..<50 { table.withArrival(of: hash(number)) { $0 = Int64(number + 100) } }
        for number in 0..<50 { #expect(table.withArrival(of: hash(number)) { $0 } == Int64(number + 100)) }
        #expect(table.withArrival(of: hash(1_000)) { $0 } == 0)
    }

    @Test("a caller whose hash is 0 is a caller")
    func zero() {
        let table = ArrivalTable(capacity: 512)
        table.withArrival(of: 0) { $0 = 7 }
        #expect(table.withArrival(of: 0) { $0 } == 7)
    }

    @Test("a million addresses push out one another, and none that is being held back")
    func flood() {
        let table = ArrivalTable(capacity: 4_096)
        let rate = CellRate(quota: 10, windowNanoseconds: 60_000_000_000, burst: 10)
        let now: Int64 = 1
        let offenders = (0..<100).map { hash(-1 - $0) }
        for offender in offenders {
            for _ in 0..<10 { #expect(table.withArrival(of: offender) { rate.take(&$0, now: now) }.isGranted) }
        }
        for number in 0..<1_000_000 { _ = table.withArrival(of: hash(number)) { rate.take(&$0, now: now + Int64(number)) } }
        #expect(table.capacity == 4_096)
        for offender in offenders {
            #expect(!table.withArrival(of: offender) { rate.take(&$0, now: now + 1_000_000) }.isGranted)
        }
    }

    @Test("as long as there is room for those who matter nobody who matters is forgotten")
    func room() {
        let table = ArrivalTable(capacity: 65_536)
        // A hundredth of the room: that nine of them fall into one set of eight does not happen.
        for number in 0..<650 { table.withArrival(of: hash(number)) { $0 = 1_000_000 } }
        // Crowds whose time is over before the next one comes.
        for number in 1_000..<500_000 { table.withArrival(of: hash(number)) { $0 = 1 } }
        for number in 0..<650 { #expect(table.withArrival(of: hash(number)) { $0 } == 1_000_000) }
    }

    @Test("it counts those who are ahead of their time, wherever they lie, and nobody else", arguments: [512, 65_536, 200_000])
    func counting(capacity: Int) {
        let table = ArrivalTable(capacity: capacity)
        #expect(table.countAhead(of: 0) == 0)
        for number in 0..<100 { table.withArrival(of: hash(number)) { $0 = Int64(number + 1) } }
        #expect(table.countAhead(of: 0) == 100)
        #expect(table.countAhead(of: 50) == 50)
        #expect(table.countAhead(of: 100) == 0)
    }

    @Test("threads take no more than there is")
    func threads() async {
        let table = ArrivalTable(capacity: 512)
        let rate = CellRate(quota: 1_000, windowNanoseconds: 60_000_000_000, burst: 1_000)
        let granted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<500).count { _ in table.withArrival(of: 42) { rate.take(&$0, now: 1) }.isGranted } }
            }
            return await group.reduce(0, +)
        }
        #expect(granted == 1_000)
    }
}
