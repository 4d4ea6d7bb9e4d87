import Chassis
import ChassisStorage
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import ChassisEvents

/// A disk that can be full.
private final class FickleDisk: Sendable {
    let isFull = Shared(false)

    /// The fixture's database on this disk.
    func database(of fixture: Fixture) -> Database {
        fixture.database.intercepted(
            by: DatabaseInterception(
                before: {}, beforeCommit: { if self.isFull.value { throw StorageError.diskFull } }, after: { _ in }))
    }
}

@Suite("Trouble that passes is nobody's failure", .serialized, .timeLimit(.minutes(2)))
struct PassingTroubleTests {
    struct Work: Job {
        static let kind = "work"
        let name: String
    }

    /// A service on a disk that can be full, with the same clock.
    private func withFickleDisk(_ body: (Fixture, FickleDisk) async throws -> Void) async throws {
        try await Fixture.with(.memory) { fixture in
            let disk = FickleDisk()
            try await body(Fixture(disk.database(of: fixture), clock: fixture.clock), disk)
        }
    }

    private func enqueue(_ fixture: Fixture) async throws {
        try await fixture.database.write { [jobs = fixture.events.jobs] in try jobs.enqueue(Work(name: "a"), in: $0) }
    }

    private func jobs(_ fixture: Fixture) async throws -> [String] {
        try await fixture.database.read { try $0.all("SELECT state FROM jobs WHERE kind = 'work'") { try $0["state"] } }
    }

    @Test("a job whose end cannot be recorded for an hour, since the disk is full, takes effect once when there is space, and is not dead")
    func fullDisk() async throws {
        try await withFickleDisk { fixture, disk in
            let attempts = Shared<[Int]>([])
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 3, base: .seconds(1), cap: .seconds(1))) {
                job, context in
                attempts.change { $0.append(context.attempt) }
                // The disk fills up while the job is being done.
                if context.attempt == 1 { disk.isFull.change { $0 = true } }
                return .done { try $0.note(job.name) }
            }
            try await enqueue(fixture)
            try await running(fixture.events.work([handler])) {
                try await advance(fixture, by: .seconds(1)) { fixture.clock.elapsed >= .seconds(3_600) }
                #expect(try await jobs(fixture) == ["leased"])
                disk.isFull.change { $0 = false }
                try await advance(fixture, by: .milliseconds(100)) { try await jobs(fixture).isEmpty }
            }
            #expect(try await fixture.effects() == ["a"])
            // Once, or twice when it was taken over in the moment in which there was space again.
            #expect(attempts.value == [1] || attempts.value == [1, 2])
        }
    }

    @Test("a service that is told to stop while a job's end cannot be recorded does not wait for the next try")
    func stopping() async throws {
        try await withFickleDisk { fixture, disk in
            let handler = JobHandler.handle(Work.self) { job, _ in
                disk.isFull.change { $0 = true }
                return .done { try $0.note(job.name) }
            }
            try await enqueue(fixture)
            try await running(fixture.events.work([handler])) {
                // Well beyond the lease; from here on no time passes.
                try await advance(fixture, by: .seconds(1)) { fixture.clock.elapsed >= .seconds(120) }
            }
            #expect(try await jobs(fixture) == ["leased"])
            #expect(try await fixture.effects() == [])
        }
    }

    @Test("a job that needs another service waits while that can do nothing, for hours if need be, and no attempt is counted")
    func neighbour() async throws {
        try await Fixture.with(.memory) { fixture in
            let isAway = Shared(true)
            let refusals: [ServiceClientError] = [
                .unavailable(.notifications),
                .problem(ServiceProblem(service: .notifications, status: .serviceUnavailable, kind: "unavailable", error: "full")),
            ]
            let calls = Shared(0)
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 2, base: .seconds(1), cap: .seconds(1))) {
                job, context in
                #expect(context.attempt == 1)
                let call = calls.change { calls in
                    calls += 1
                    return calls
                }
                if isAway.value { throw refusals[call % refusals.count] }
                return .done { try $0.note(job.name) }
            }
            try await enqueue(fixture)
            try await running(fixture.events.work([handler])) {
                try await advance(fixture, by: .seconds(5), whenResting: true) { fixture.clock.elapsed >= .seconds(3 * 3_600) }
                #expect(try await jobs(fixture) != ["dead"])
                #expect(calls.value > 2)
                isAway.change { $0 = false }
                try await advance(fixture, by: .seconds(1), whenResting: true) { try await jobs(fixture).isEmpty }
            }
            #expect(try await fixture.effects() == ["a"])
        }
    }

    @Test("an event is applied once when a disk that was full for an hour has space again, and is no dead letter")
    func event() async throws {
        try await withFickleDisk { fixture, disk in
            let source = EventSource { position, _, _ in
                position == 0
                    ? [
                        CloudEvent(
                            id: "1", source: ServiceName.orders.rawValue, type: Happened.eventType, subject: "a", time: VirtualTime.start,
                            sequence: 1, traceparent: nil, data: #"{"what":"a"}"#)
                    ] : []
            }
            let consumer = Consumer(
                of: .orders, handlers: [.on(Happened.self) { event, _, transaction in try transaction.note(event.what) }])
            disk.isFull.change { $0 = true }
            try await running(fixture.events.consume(consumer, from: source)) {
                try await advance(fixture, by: .seconds(1)) { fixture.clock.elapsed >= .seconds(3_600) }
                #expect(try await fixture.effects() == [])
                disk.isFull.change { $0 = false }
                try await advance(fixture, by: .milliseconds(100)) { try await fixture.effects() == ["a"] }
            }
            #expect(try await fixture.database.read { try $0.value("SELECT count(*) FROM dead_events", as: Int.self) } == 0)
        }
    }

    /// Moves the clock until something has happened. Between two steps the service gets room to do what it does then: it reads, whatever
    /// its disk lets it write.
    ///
    /// - Parameter whenResting: only while no job is being done, so that no lease ends because a busy machine has not come to it.
    private func advance(
        _ fixture: Fixture, by step: Duration, whenResting: Bool = false, until condition: () async throws -> Bool
    ) async throws {
        try await eventually {
            if try await condition() { return true }
            if whenResting, try await jobs(fixture) == ["leased"] { return false }
            fixture.clock.advance(by: step)
            for _ in 0..<6 {
                _ = try await fixture.database.read { try $0.value("SELECT 1", as: Int.self) }
                for _ in 0..<10 { await Task.yield() }
            }
            return false
        }
    }
}
