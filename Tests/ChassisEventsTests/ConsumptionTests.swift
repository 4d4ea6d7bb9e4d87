import Chassis
import ChassisStorage
import Commerce
import Contracts
import Foundation
import ServiceLifecycle
import Testing

@testable import ChassisEvents

@Suite("Consumers", .serialized)
struct ConsumptionTests {
    /// A consumer that notes every event in its database.
    private func noting(_ before: @escaping @Sendable (Happened) throws -> Void = { _ in }) -> Consumer {
        Consumer(
            of: .orders,
            handlers: [
                .on(Happened.self) { event, _, transaction in
                    try transaction.note(event.what)
                    try before(event)
                }
            ])
    }

    private func event(_ sequence: Int64, type: String = Happened.eventType, source: String = "order-service", data: String? = nil)
        -> CloudEvent
    {
        CloudEvent(
            id: "id-\(sequence)", source: source, type: type, subject: nil, time: VirtualTime.start, sequence: sequence,
            data: data ?? #"{"what":"\#(sequence)"}"#)
    }

    /// A source that has these events for whoever asks, and waits when it has no more.
    private func source(_ events: [CloudEvent], _ clock: VirtualTime) -> EventSource {
        EventSource { after, limit, wait in
            let page = events.filter { $0.sequence > after }.prefix(limit)
            if page.isEmpty { try await clock.source.sleep(for: wait) }
            return Array(page)
        }
    }

    private func position(_ fixture: Fixture) async throws -> Int64 {
        try await fixture.database.read { try ConsumerPosition.current(for: .orders, in: $0)?.sequence ?? 0 }
    }

    private func deadEvents(_ fixture: Fixture) async throws -> [DeadLetter] {
        try await fixture.database.read { try DeadEvents.list(limit: 100, in: $0) }
    }

    @Test("events flow from a producer's transaction to a consumer's, each once, in order", arguments: TestDatabase.allCases)
    func flow(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { producer in
            try await Fixture.with(kind, service: .payments) { consumer in
                try await producer.append(1...250)
                try await running(consumer.events.consume(noting(), from: .outbox(of: producer.events))) {
                    try await eventually { try await position(consumer) == 250 }
                    try await producer.append(251...300)
                    try await eventually { try await position(consumer) == 300 }
                }
                #expect(try await consumer.effects() == (1...300).map(String.init))
            }
        }
    }

    @Test("events delivered again, in any order, take effect once and in order", arguments: TestDatabase.allCases)
    func duplicates(kind: TestDatabase) async throws {
        try await Fixture.with(kind, service: .payments) { fixture in
            let events = (1...40).map { event(Int64($0)) }
            let calls = Shared(0)
            // A transport that forgets what was acknowledged: every answer begins at the first event and is shuffled and doubled.
            let source = EventSource { after, _, wait in
                let call = calls.change { calls in
                    calls += 1
                    return calls
                }
                if after >= 40 { try await fixture.clock.source.sleep(for: wait) }
                let known = events.prefix(min(40, call * 7))
                return (known + known).shuffled()
            }
            try await running(fixture.events.consume(noting(), from: source)) {
                try await eventually { try await position(fixture) == 40 }
            }
            #expect(try await fixture.effects() == (1...40).map(String.init))
        }
    }

    @Test(
        "a process that dies between its commit and the next read applies nothing twice and misses nothing",
        arguments: TestDatabase.allCases)
    func crash(kind: TestDatabase) async throws {
        try await Fixture.with(kind, service: .payments) { fixture in
            let events = (1...30).map { event(Int64($0)) }
            for round in 1...6 {
                let hasGiven = Shared(false)
                // Gives five events, then never answers again: the process is ended while it waits.
                let source = EventSource { after, _, _ in
                    if hasGiven.change({ given in
                        defer { given = true }
                        return given
                    }) {
                        try await fixture.clock.source.sleep(for: .seconds(1_000_000))
                    }
                    return Array(events.filter { $0.sequence > after }.prefix(5))
                }
                let consumption = fixture.restarted().events.consume(noting(), from: source)
                let process = Task { try await consumption.run() }
                try await eventually { try await position(fixture) == Int64(round * 5) }
                process.cancel()
                try await process.value
            }
            #expect(try await fixture.effects() == (1...30).map(String.init))
        }
    }

    @Test("two replicas that read the same events apply each once", arguments: TestDatabase.allCases)
    func replicas(kind: TestDatabase) async throws {
        try await Fixture.with(kind, service: .payments) { fixture in
            let source = source((1...500).map { event(Int64($0)) }, fixture.clock)
            let other = fixture.restarted()
            try await running(fixture.events.consume(noting(), from: source), other.events.consume(noting(), from: source)) {
                try await eventually { try await position(fixture) == 500 }
            }
            #expect(try await fixture.effects() == (1...500).map(String.init))
        }
    }

    @Test("an event that fails is held, tried again after its backoff, and everything behind it waits", arguments: TestDatabase.allCases)
    func held(kind: TestDatabase) async throws {
        try await Fixture.with(kind, service: .payments) { fixture in
            let attempts = Shared(0)
            let consumer = noting { event in
                guard event.what == "2",
                    attempts.change({ attempts in
                        attempts += 1
                        return attempts
                    }) < 3
                else { return }
                throw Refused()
            }
            try await running(fixture.events.consume(consumer, from: source([event(1), event(2), event(3)], fixture.clock))) {
                try await eventually { attempts.value == 1 }
                try await eventually { try await position(fixture) == 1 }
                #expect(try await fixture.effects() == ["1"])
                try await fixture.advance { attempts.value == 2 }
                #expect(fixture.clock.now - VirtualTime.start >= .milliseconds(190))
                #expect(try await fixture.effects() == ["1"])
                try await fixture.advance { try await position(fixture) == 3 }
            }
            #expect(try await fixture.effects() == ["1", "2", "3"])
            #expect(try await deadEvents(fixture).isEmpty)
        }
    }

    @Test(
        "a poisoned event is parked after its attempts, which restarts do not forget, and the rest goes on",
        arguments: TestDatabase.allCases)
    func poisoned(kind: TestDatabase) async throws {
        try await Fixture.with(kind, service: .payments) { fixture in
            let attempts = Shared(0)
            let source = source([event(1), event(2, data: #"{"what":42}"#), event(3), event(4)], fixture.clock)
            let consumer = noting { event in
                guard event.what == "3" else { return }
                attempts.change { $0 += 1 }
                throw Refused()
            }
            // Two processes, one after another; the clock goes on from one to the other.
            try await running(fixture.events.consume(consumer, from: source)) {
                try await fixture.advance(by: .milliseconds(200)) { attempts.value == 2 }
            }
            let held = try await fixture.database.read { try ConsumerPosition.current(for: .orders, in: $0)?.held }
            #expect(held?.attempts == 2)
            let second = Events(
                service: .payments, database: fixture.database, time: fixture.clock.source, randomness: Fixture.steady,
                logger: Fixture.logger,
                settings: fixture.settings)
            try await running(second.consume(consumer, from: source)) {
                try await fixture.advance(by: .milliseconds(200)) { try await position(fixture) == 4 }
            }
            #expect(attempts.value == 5)
            #expect(try await fixture.effects() == ["1", "4"])
            let dead = try await deadEvents(fixture)
            #expect(dead.map(\.attempts) == [5, 5])
            #expect(dead.last?.error == "Refused()")
        }
    }

    @Test("trouble of the database is no attempt of the event", arguments: [StorageError.busy, .diskFull, .unavailable])
    func storageTrouble(trouble: StorageError) async throws {
        try await Fixture.with(.memory, service: .payments) { fixture in
            let attempts = Shared(0)
            let consumer = noting { event in
                guard event.what == "2",
                    attempts.change({ attempts in
                        attempts += 1
                        return attempts
                    }) <= 20
                else { return }
                throw trouble
            }
            try await running(fixture.events.consume(consumer, from: source([event(1), event(2)], fixture.clock))) {
                try await fixture.advance(by: .milliseconds(500)) {
                    if attempts.value < 20 { #expect(try await position(fixture) == 0) }
                    return try await position(fixture) == 2
                }
            }
            #expect(try await fixture.effects() == ["1", "2"])
            #expect(try await deadEvents(fixture).isEmpty)
        }
    }

    @Test("events that nobody handles are passed over")
    func unknown() async throws {
        try await Fixture.with(.memory, service: .payments) { fixture in
            let events = [event(1, type: "souk.order.moved"), event(2), event(3, type: "souk.order.moved")]
            try await running(fixture.events.consume(noting(), from: source(events, fixture.clock))) {
                try await eventually { try await position(fixture) == 3 }
            }
            #expect(try await fixture.effects() == ["2"])
        }
    }

    @Test("a producer that is away is asked again, ever more rarely, until it is back")
    func away() async throws {
        try await Fixture.with(.memory, service: .payments) { fixture in
            let calls = Shared(0)
            let source = source([event(1)], fixture.clock)
            let flaky = EventSource { after, limit, wait in
                guard
                    calls.change({ calls in
                        calls += 1
                        return calls
                    }) > 6
                else { throw Refused() }
                return try await source.read(after, limit, wait)
            }
            try await running(fixture.events.consume(noting(), from: flaky)) {
                try await fixture.advance { try await position(fixture) == 1 }
            }
            // 100 ms doubling, six times.
            #expect(fixture.clock.now - VirtualTime.start >= .milliseconds(6_200))
        }
    }

    @Test("the events of another service are refused, not applied")
    func foreign() async throws {
        try await Fixture.with(.memory, service: .payments) { fixture in
            let calls = Shared(0)
            let source = EventSource { _, _, _ in
                calls.change { $0 += 1 }
                return [event(1, source: "product-service")]
            }
            try await running(fixture.events.consume(noting(), from: source)) {
                try await fixture.advance { calls.value >= 3 }
            }
            #expect(try await fixture.effects().isEmpty)
            #expect(try await position(fixture) == 0)
        }
    }

    @Test("a consumer whose events are gone stops visibly, and goes on where a person has put it", arguments: TestDatabase.allCases)
    func deadStop(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { producer in
            try await producer.append(1...10)
            producer.clock.advance(by: .seconds(8 * 86_400))
            try await Retention.outbox(keeping: .seconds(7 * 86_400)).trim(producer.database, producer.clock.source)
            try await producer.append(11...12)
            try await Fixture.with(kind, service: .payments) { fixture in
                let progress = ConsumerProgress(source: .orders, time: fixture.clock.source)
                let loop = Consumption(
                    consumer: noting(), source: .outbox(of: producer.events), database: fixture.database, time: fixture.clock.source,
                    randomness: Fixture.steady, logger: Fixture.logger, settings: fixture.settings, progress: progress)
                try await running(loop) {
                    try await eventually { progress.stopReason != nil }
                    fixture.clock.advance(by: .seconds(10))
                    #expect(progress.secondsBehind >= 10)
                    #expect(try await fixture.effects().isEmpty)
                    try await fixture.database.write {
                        _ = try $0.execute("UPDATE consumer_positions SET position = 10 WHERE source = 'order-service'")
                    }
                    try await fixture.advance(by: .seconds(5)) { try await position(fixture) == 12 }
                    try await eventually { progress.stopReason == nil && progress.secondsBehind == 0 }
                }
                #expect(try await fixture.effects() == ["11", "12"])
            }
        }
    }

    @Test("a consumer that is moved back while it waits applies what lies between again, and leaves no hole")
    func movedBack() async throws {
        try await Fixture.with(.memory) { producer in
            try await Fixture.with(.memory, service: .payments) { fixture in
                try await producer.append(1...5)
                let isWaiting = Shared(false)
                let outbox = EventSource.outbox(of: producer.events)
                let source = EventSource { after, limit, wait in
                    if after == 5 { isWaiting.change { $0 = true } }
                    return try await outbox.read(after, limit, wait)
                }
                try await running(fixture.events.consume(noting(), from: source)) {
                    try await eventually { isWaiting.value }
                    try await fixture.database.write { _ = try $0.execute("UPDATE consumer_positions SET position = 2") }
                    try await producer.append(6...6)
                    try await eventually { try await position(fixture) == 6 }
                }
                #expect(try await fixture.effects() == ["1", "2", "3", "4", "5", "3", "4", "5", "6"])
            }
        }
    }

    @Test("a handler's own events and jobs are part of the one commit", arguments: TestDatabase.allCases)
    func atomic(kind: TestDatabase) async throws {
        try await Fixture.with(kind, service: .payments) { fixture in
            let outbox = fixture.events.outbox
            let failed = Shared(false)
            let consumer = Consumer(
                of: .orders,
                handlers: [
                    .on(Happened.self) { event, _, transaction in
                        try outbox.append(event, in: transaction)
                        if !failed.change({ failed in
                            defer { failed = true }
                            return failed
                        }) {
                            throw Refused()
                        }
                    }
                ])
            try await running(fixture.events.consume(consumer, from: source([event(1)], fixture.clock))) {
                try await fixture.advance { try await position(fixture) == 1 }
            }
            #expect(try await fixture.events.reader.read(after: 0, limit: 10, wait: .zero).count == 1)
        }
    }
}
