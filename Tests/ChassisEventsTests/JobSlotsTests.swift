import Testing

@testable import ChassisEvents

@Suite("Places of a worker")
struct JobSlotsTests {
    private struct Work: Job {
        static let kind = "work"
    }

    private func slots(_ concurrency: Int) -> JobSlots {
        JobSlots([.handle(Work.self, concurrency: concurrency) { _, _ in .done }])
    }

    @Test("a kind that filled its places has room again, and says so once, when half of them are free")
    func batches() {
        let slots = slots(8)
        #expect(slots.free == ["work": 8])
        slots.begin("work", taken: 8, of: 8)
        #expect(slots.free.isEmpty)
        let calls = (0..<4).map { _ in slots.end("work") }
        #expect(calls == [false, false, false, true])
        #expect(slots.free == ["work": 4])
        #expect((0..<4).map { _ in slots.end("work") } == [false, false, false, false])
        #expect(slots.free == ["work": 8])
    }

    @Test("a kind that got less than it had room for keeps its places open")
    func open() {
        let slots = slots(8)
        slots.begin("work", taken: 3, of: 8)
        #expect(slots.free == ["work": 5])
        #expect(!slots.end("work"))
        slots.begin("work", taken: 0, of: 6)
        #expect(slots.free == ["work": 6])
    }

    @Test("a single place is free when it is free")
    func single() {
        let slots = slots(1)
        slots.begin("work", taken: 1, of: 1)
        #expect(slots.free.isEmpty)
        #expect(slots.end("work"))
        #expect(slots.free == ["work": 1])
    }
}
