import Chassis
import ChassisStorage
import Commerce
import Testing

@testable import ChassisEvents

@Suite("Outbox and feed", .serialized)
struct OutboxTests {
    @Test("an event is there once its transaction has committed, in order, complete", arguments: TestDatabase.allCases)
    func committed(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            try await fixture.append(1...3)
            let events = try await fixture.events.reader.read(after: 0, limit: 10, wait: .zero)
            #expect(events.map(\.sequence) == [1, 2, 3])
            #expect(events.map(\.data) == [#"{"what":"1"}"#, #"{"what":"2"}"#, #"{"what":"3"}"#])
            #expect(events.allSatisfy { $0.source == "order-service" && $0.type == Happened.eventType && $0.time == VirtualTime.start })
            #expect(Set(events.map(\.id)).count == 3)
            #expect(try await fixture.events.reader.read(after: 1, limit: 1, wait: .zero).map(\.sequence) == [2])
        }
    }

    @Test("an event of a transaction that rolled back never existed", arguments: TestDatabase.allCases)
    func rolledBack(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let outbox = fixture.events.outbox
            await #expect(throws: Refused.self) {
                try await fixture.database.write { transaction in
                    try outbox.append(Happened(what: "no"), in: transaction)
                    throw Refused()
                }
            }
            try await fixture.database.write { transaction in
                try? transaction.savepoint {
                    try outbox.append(Happened(what: "neither"), in: transaction)
                    throw Refused()
                }
                try outbox.append(Happened(what: "yes"), in: transaction)
            }
            #expect(try await fixture.events.reader.read(after: 0, limit: 10, wait: .zero).map(\.data) == [#"{"what":"yes"}"#])
        }
    }

    @Test("a reader that follows while many write misses nothing", arguments: TestDatabase.allCases)
    func following(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<20 {
                    group.addTask { for event in 0..<20 { try await fixture.append([Happened(what: "\(writer)-\(event)")]) } }
                }
                var seen: Set<String> = []
                var position: Int64 = 0
                while seen.count < 400 {
                    let events = try await fixture.events.reader.read(after: position, limit: 7, wait: .seconds(30))
                    #expect(events.map(\.sequence) == events.map(\.sequence).sorted())
                    for event in events { #expect(seen.insert(event.data).inserted) }
                    position = events.last?.sequence ?? position
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a waiting reader is answered by the commit, without the clock moving")
    func wakeUp() async throws {
        try await Fixture.with(.memory) { fixture in
            async let waiting = fixture.events.reader.read(after: 0, limit: 10, wait: .seconds(20))
            try await fixture.append(1...1)
            #expect(try await waiting.count == 1)
        }
    }

    @Test("a reader that waits in vain is answered with nothing when its time is over, at most 30 seconds")
    func timeout() async throws {
        try await Fixture.with(.memory) { fixture in
            let isOver = Shared(false)
            let waiting = Task {
                defer { isOver.change { $0 = true } }
                return try await fixture.events.reader.read(after: 0, limit: 10, wait: .seconds(3600))
            }
            try await fixture.advance(by: .seconds(1)) { isOver.value }
            #expect(try await waiting.value.isEmpty)
            // The reader may begin after the clock has; it never waits longer than the bound.
            #expect(fixture.clock.now - VirtualTime.start >= .seconds(30))
        }
    }

    @Test("what is older than the retention goes; a reader behind it is told so, and never given a hole", arguments: TestDatabase.allCases)
    func retention(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let retention = Retention.outbox(keeping: .seconds(7 * 86_400))
            func trim() async throws -> Int { try await retention.trim(fixture.database, fixture.clock.source) }
            try await fixture.append(1...1_200)
            fixture.clock.advance(by: .seconds(4 * 86_400))
            try await fixture.append(1_201...1_210)
            #expect(try await trim() == 0)
            fixture.clock.advance(by: .seconds(4 * 86_400))
            #expect(try await trim() == 1_200)

            let reader = fixture.events.reader
            #expect(try await reader.read(after: 1_200, limit: 10, wait: .zero).first?.sequence == 1_201)
            await #expect { try await reader.read(after: 1_199, limit: 10, wait: .zero) } throws: {
                ($0 as? FeedError)?.isTruncated == true
            }
            await #expect { try await reader.read(after: 0, limit: 10, wait: .zero) } throws: { ($0 as? FeedError)?.isTruncated == true }

            fixture.clock.advance(by: .seconds(8 * 86_400))
            #expect(try await trim() == 10)
            // Nothing is left, and that is still known.
            #expect(try await reader.read(after: 1_210, limit: 10, wait: .zero).isEmpty)
            await #expect { try await reader.read(after: 1_209, limit: 10, wait: .zero) } throws: {
                ($0 as? FeedError)?.isTruncated == true
            }
            try await fixture.append(1...1)
            #expect(try await reader.read(after: 1_210, limit: 10, wait: .zero).map(\.sequence) == [1_211])
        }
    }

    @Test("a reader that knows more than the outbox ever had is told so")
    func ahead() async throws {
        try await Fixture.with(.memory) { fixture in
            try await fixture.append(1...2)
            await #expect { try await fixture.events.reader.read(after: 3, limit: 10, wait: .zero) } throws: {
                ($0 as? FeedError)?.isAhead == true
            }
        }
    }
}
