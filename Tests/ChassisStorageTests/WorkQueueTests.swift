import Foundation
import Testing

@testable import ChassisStorage

@Suite("The queue between tasks and database threads")
struct WorkQueueTests {
    @Test("first in, first out, in pieces of any size", arguments: [1, 2, 3, 7, 100])
    func order(piece: Int) throws {
        let queue = WorkQueue<Int>(limit: 1_000)
        var taken: [Int] = []
        for number in 0..<100 {
            try queue.put(number)
            if number % 10 == 9 { taken += queue.takeNow(atMost: piece) }
        }
        queue.close()
        while true {
            let next = queue.take(atMost: piece)
            if next.isEmpty { break }
            #expect(next.count <= piece)
            taken += next
        }
        #expect(taken == Array(0..<100))
    }

    @Test("a full queue refuses, and takes again once there is room")
    func bound() throws {
        let queue = WorkQueue<Int>(limit: 2)
        try queue.put(1)
        try queue.put(2)
        #expect(throws: StorageError.overloaded) { try queue.put(3) }
        #expect(queue.takeNow(atMost: 1) == [1])
        try queue.put(3)
        #expect(queue.count == 2)
    }

    @Test("a closed queue refuses, gives out what waits, and then ends")
    func closing() throws {
        let queue = WorkQueue<Int>(limit: 10)
        try queue.put(1)
        queue.close()
        #expect(throws: StorageError.unavailable) { try queue.put(2) }
        #expect(queue.take(atMost: 5) == [1])
        #expect(queue.take(atMost: 5).isEmpty)
    }

    @Test("several threads take each element exactly once, and all end when it closes")
    func threads() async throws {
        let queue = WorkQueue<Int>(limit: 100_000)
        let group = ThreadGroup()
        let log = Log()
        for number in 0..<4 {
            group.start("test-\(number)") {
                while let element = queue.take(atMost: 1).first { log.add("\(element)") }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<2_000 { tasks.addTask { try queue.put(number) } }
            try await tasks.waitForAll()
        }
        queue.close()
        await group.ended()
        #expect(log.lines.compactMap(Int.init).sorted() == Array(0..<2_000))
    }
}
