import Chassis
import ChassisStorage
import Commerce
import Foundation
import Testing

@testable import ChassisEvents

@Suite("A clock that is set back or forward", .serialized)
struct ClockTests {
    struct Work: Job {
        static let kind = "work"
        let name: String
    }

    /// How far a clock may be set back: an hour, a day, a year.
    static let jumps: [Duration] = [.seconds(-3_600), .seconds(-86_400), .seconds(-365 * 86_400)]

    private func enqueue(_ fixture: Fixture, after delay: Duration? = nil) async throws {
        let due = delay.map { fixture.clock.now + $0 }
        try await fixture.database.write { [jobs = fixture.events.jobs] in try jobs.enqueue(Work(name: "a"), at: due, in: $0) }
    }

    private func isDone(_ fixture: Fixture) async throws -> Bool {
        try await fixture.database.read { try $0.value("SELECT count(*) FROM jobs WHERE kind = 'work'", as: Int.self) } == 0
    }

    @Test("a job that failed before is tried again after its backoff, not after the jump", arguments: jumps)
    func retry(jump: Duration) async throws {
        try await Fixture.with(.memory) { fixture in
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 3, base: .seconds(5), cap: .seconds(5))) {
                job, context in
                if context.attempt == 1 { throw Refused() }
                return .done { try $0.note(job.name) }
            }
            try await enqueue(fixture)
            try await running(fixture.events.work([handler])) {
                try await fixture.advance {
                    try await fixture.database.read { try $0.value("SELECT error FROM jobs WHERE kind = 'work'", as: String?.self) }
                        != .some(nil)
                }
                fixture.clock.set(by: jump)
                let before = fixture.clock.elapsed
                try await fixture.advance(by: .milliseconds(100)) { try await isDone(fixture) }
                #expect(fixture.clock.elapsed - before <= .seconds(12))
            }
            #expect(try await fixture.effects() == ["a"])
        }
    }

    @Test("a job of later waits as long as it was to wait, and is not due at once", arguments: jumps)
    func later(jump: Duration) async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture, after: .seconds(60))
            let handler = JobHandler.handle(Work.self) { job, _ in .done { try $0.note(job.name) } }
            fixture.clock.set(by: jump)
            // A worker that starts only now has seen nothing of it.
            try await running(fixture.events.work([handler])) {
                let before = fixture.clock.elapsed
                try await fixture.advance(by: .milliseconds(500)) { try await isDone(fixture) }
                #expect(fixture.clock.elapsed - before >= .seconds(59) && fixture.clock.elapsed - before <= .seconds(70))
            }
        }
    }

    @Test("the job of a worker that died is taken over after one lease", arguments: jumps)
    func takeover(jump: Duration) async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture)
            _ = try await fixture.database.write {
                try JobTable.lease(kind: "work", limit: 5, now: fixture.clock.now, until: fixture.clock.now + .seconds(30), in: $0)
            }
            fixture.clock.set(by: jump)
            let handler = JobHandler.handle(Work.self) { job, _ in .done { try $0.note(job.name) } }
            try await running(fixture.events.work([handler])) {
                let before = fixture.clock.elapsed
                try await fixture.advance(by: .milliseconds(500)) { try await isDone(fixture) }
                #expect(fixture.clock.elapsed - before <= .seconds(40))
            }
        }
    }

    @Test("what is done again and again goes on at its pace, whichever way the clock is set", arguments: jumps + jumps.map { .zero - $0 })
    func recurring(jump: Duration) async throws {
        try await Fixture.with(.memory) { fixture in
            let runs = Shared(0)
            let handler = JobHandler.every(.seconds(10), name: "sweep") { _ in runs.change { $0 += 1 } }
            try await running(fixture.events.work([handler])) {
                try await fixture.advance(by: .milliseconds(500)) { runs.value >= 2 }
                fixture.clock.set(by: jump)
                let (before, count) = (fixture.clock.elapsed, runs.value)
                try await fixture.advance(by: .milliseconds(500)) { runs.value >= count + 3 }
                #expect(fixture.clock.elapsed - before <= .seconds(60))
            }
        }
    }

    @Test("after a clock was set forward nothing is deleted for a day: what it made look old was not")
    func retention() async throws {
        try await Fixture.with(.memory) { fixture in
            try await fixture.append(1...3)
            func events() async throws -> Int? {
                try await fixture.database.read { try $0.value("SELECT count(*) FROM outbox", as: Int.self) }
            }
            let retention = Retention.outbox(keeping: .seconds(7 * 86_400))
            let runs = Shared(0)
            let job = retention.job(every: .seconds(600), fixture.database, fixture.clock.source)
            let counted = JobHandler.every(.seconds(600), name: "counted") { context in
                _ = try await job.perform("{}", context)
                runs.change { $0 += 1 }
            }
            try await running(fixture.events.work([counted])) {
                try await fixture.advance(by: .seconds(30)) { runs.value >= 1 }
                fixture.clock.set(by: .seconds(30 * 86_400))
                try await fixture.advance(by: .seconds(60)) { runs.value >= 5 }
                #expect(try await events() == 3)
                // It stays so: then it is the time.
                let before = fixture.clock.elapsed
                try await fixture.advance(by: .seconds(600)) { try await events() == 0 }
                #expect(fixture.clock.elapsed - before >= .seconds(80_000))
            }
        }
    }
}
