import Testing

@testable import HTTPProxy

@Suite("Which responses go when there is no room")
struct SieveQueueTests {
    /// By reference, so that an expectation may change it.
    private final class Line {
        private var queue = SieveQueue()
        var count: Int { queue.count }

        func insert() -> Int { queue.insert() }
        func mark(_ number: Int) { queue.mark(number) }
        func remove(_ number: Int) { queue.remove(number) }
        func evict() -> Int? {
            var looks = Int.max
            return queue.evict(&looks)
        }
    }

    @Test("what was not used goes first, the oldest before the others")
    func order() {
        let queue = Line()
        let (a, b, c) = (queue.insert(), queue.insert(), queue.insert())
        queue.mark(a)
        #expect(queue.evict() == b)
        #expect(queue.evict() == c)
        // Its mark is gone since the hand came by.
        #expect(queue.evict() == a)
        #expect(queue.evict() == nil && queue.count == 0)
    }

    @Test("when all were used the oldest goes")
    func allMarked() {
        let queue = Line()
        let all = (0..<5).map { _ in queue.insert() }
        for number in all { queue.mark(number) }
        #expect(queue.evict() == all[0] && queue.count == 4)
    }

    @Test("what is used again and again survives a flood of what nobody uses twice")
    func flood() {
        let queue = Line()
        let popular = (0..<10).map { _ in queue.insert() }
        var flood: [Int] = []
        for _ in 0..<1_000 {
            for number in popular { queue.mark(number) }
            if queue.count == 20, let gone = queue.evict() { #expect(!popular.contains(gone)) }
            flood.append(queue.insert())
        }
        #expect(queue.count == 20)
        // Places are used again.
        #expect(Set(flood).count <= 11)
    }

    @Test("who may look at so many looks at no more, and goes on from there the next time")
    func limited() {
        var queue = SieveQueue()
        let all = (0..<4).map { _ in queue.insert() }
        for number in all { queue.mark(number) }
        var looks = 3
        let first = queue.evict(&looks)
        #expect(first == nil && looks == 0 && queue.count == 4)
        looks = 2
        let second = queue.evict(&looks)
        // The last one loses its mark, then the first one has none any more.
        #expect(second == all[0] && looks == 0)
    }

    /// The same in the plainest way: the line as a list, the oldest first.
    private final class Plain {
        var line: [(number: Int, isMarked: Bool)] = []
        var hand = 0

        func mark(_ number: Int) {
            for index in line.indices where line[index].number == number { line[index].isMarked = true }
        }

        func remove(_ number: Int) {
            guard let index = line.firstIndex(where: { $0.number == number }) else { return }
            line.remove(at: index)
            if index < hand { hand -= 1 }
            if hand == line.count { hand = 0 }
        }

        func evict() -> Int? {
            guard !line.isEmpty else { return nil }
            while line[hand].isMarked {
                line[hand].isMarked = false
                hand = hand + 1 == line.count ? 0 : hand + 1
            }
            let number = line.remove(at: hand).number
            if hand == line.count { hand = 0 }
            return number
        }
    }

    @Test("it does what the plain list does, whatever happens in which order")
    func asPlain() {
        let (queue, plain) = (Line(), Plain())
        var state: UInt64 = 7
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        for _ in 0..<20_000 {
            switch next(8) {
            case 0, 1, 2:
                let number = queue.insert()
                #expect(!plain.line.contains { $0.number == number })
                plain.line.append((number, false))
            case 3 where !plain.line.isEmpty, 4 where !plain.line.isEmpty:
                let number = plain.line[next(plain.line.count)].number
                queue.mark(number)
                plain.mark(number)
            case 5 where !plain.line.isEmpty:
                let number = plain.line[next(plain.line.count)].number
                queue.remove(number)
                plain.remove(number)
            default: #expect(queue.evict() == plain.evict())
            }
            #expect(queue.count == plain.line.count)
        }
    }
}
