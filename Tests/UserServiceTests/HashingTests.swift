import Chassis
import Dispatch
import Synchronization
import Testing

@testable import UserService

/// Work that reports when it has begun and ends when it is let.
final class Gate: Sendable {
    private let release = DispatchSemaphore(value: 0)
    private let counts = Mutex((running: 0, most: 0))
    let begun: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (begun, continuation) = AsyncStream.makeStream() }

    var most: Int { counts.withLock { $0.most } }

    func work() {
        counts.withLock { counts in
            counts.running += 1
            counts.most = max(counts.most, counts.running)
        }
        continuation.yield()
        release.wait()
        counts.withLock { $0.running -= 1 }
    }

    func open(_ count: Int = 1) {
        for _ in 0..<count { release.signal() }
    }
}

@Suite("Hashing")
struct HashingTests {
    @Test("runs as many at once as there are cores, keeps the rest waiting, and refuses what is beyond the bound")
    func bounds() async throws {
        let queue = HashingQueue(width: 2, capacity: 3)
        let gate = Gate()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        try await queue.run { gate.work() }
                        return true
                    } catch is HashingQueue.Full {
                        return false
                    }
                }
            }
            // 2 run, 3 wait: the other 5 come back at once, refused, while nothing has ended yet.
            for _ in 0..<5 {
                let wasRun = try await group.next()
                #expect(wasRun == false)
            }
            gate.open(5)
            for _ in 0..<5 {
                let wasRun = try await group.next()
                #expect(wasRun == true)
            }
        }
        #expect(gate.most == 2)
        #expect(try await queue.run { 42 } == 42)
    }

    @Test("costs nothing for somebody who has given up while waiting")
    func abandoned() async throws {
        let queue = HashingQueue(width: 1, capacity: 3)
        let gate = Gate()
        let first = Task { try await queue.run { gate.work() } }
        var begun = gate.begun.makeAsyncIterator()
        await begun.next()
        let ran = Lines()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { try await queue.run { ran.add("ran") } }
            }
            group.cancelAll()
            gate.open()
        }
        try await first.value
        #expect(ran.all.isEmpty)
    }

    @Test("takes one derivation for a right password, a wrong one and an account that does not exist")
    func sameWork() async throws {
        let counting = CountingDerivation()
        let hasher = PasswordHasher(
            cost: Fixture.cheap, derivation: counting.derivation, queue: HashingQueue(width: 1, capacity: 10), time: .system,
            randomness: .system)
        let stored = try await hasher.hash(Password("correct horse"))
        #expect(try await hasher.verify(Password("correct horse"), against: stored))
        #expect(try await !hasher.verify(Password("wrong horse"), against: stored))
        #expect(try await !hasher.verify(Password("correct horse"), against: nil))
        #expect(counting.calls == Array(repeating: Fixture.cheap, count: 4))
    }

    @Test("is not begun for a caller whose time is over")
    func deadline() async throws {
        let (clock, counting) = (ManualClock(), CountingDerivation())
        let hasher = PasswordHasher(
            cost: Fixture.cheap, derivation: counting.derivation, queue: HashingQueue(width: 1, capacity: 10), time: clock.source,
            randomness: .system)
        await Deadline.$current.withValue(Deadline(after: .seconds(1), time: clock.source)) {
            clock.advance(by: .seconds(2))
            await #expect(throws: UserError.deadlineExceeded) { try await hasher.hash(Password("correct horse")) }
        }
        #expect(counting.count == 0)
    }

    @Test("makes another hash of the same password each time, and scrypt verifies both")
    func salted() async throws {
        let hasher = PasswordHasher(cost: Fixture.cheap, queue: HashingQueue(width: 1, capacity: 10), time: .system, randomness: .system)
        let (one, other) = (try await hasher.hash(Password("correct horse")), try await hasher.hash(Password("correct horse")))
        #expect(one.text != other.text)
        #expect(try await hasher.verify(Password("correct horse"), against: one))
        #expect(try await hasher.verify(Password("correct horse"), against: PasswordHash(other.text)))
    }
}
