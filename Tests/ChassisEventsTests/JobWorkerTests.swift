import Chassis
import ChassisStorage
import Commerce
import Foundation
import ServiceLifecycle
import Testing

@testable import ChassisEvents

@Suite("Jobs", .serialized)
struct JobWorkerTests {
    struct Work: Job {
        static let kind = "work"
        let name: String
    }

    private func enqueue(_ fixture: Fixture, _ names: [String], key: String? = nil, at due: Timestamp? = nil) async throws {
        try await fixture.database.write { [jobs = fixture.events.jobs] transaction in
            for name in names { try jobs.enqueue(Work(name: name), key: key, at: due, in: transaction) }
        }
    }

    /// How many jobs there are in each state; the chassis' own recurring ones left out.
    private func states(_ fixture: Fixture) async throws -> [String: Int] {
        let rows = try await fixture.database.read { transaction in
            try transaction.all("SELECT state, COUNT(*) AS n FROM jobs WHERE kind = 'work' GROUP BY state") {
                (state: try $0["state"] as String, count: try $0["n"] as Int)
            }
        }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.state, $0.count) })
    }

    private func isEmpty(_ fixture: Fixture) async throws -> Bool { try await states(fixture).isEmpty }

    @Test("a job whose transaction commits is done once, and its effect is one commit with its end", arguments: TestDatabase.allCases)
    func done(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let handler = JobHandler.handle(Work.self) { job, context in
                #expect(context.attempt == 1 && !context.isLastAttempt)
                return .done { try $0.note(job.name) }
            }
            try await enqueue(fixture, ["before the start"])
            await #expect(throws: Refused.self) {
                try await fixture.database.write { [jobs = fixture.events.jobs] transaction in
                    try jobs.enqueue(Work(name: "rolled back"), in: transaction)
                    throw Refused()
                }
            }
            try await running(fixture.events.work([handler])) {
                try await eventually { try await isEmpty(fixture) }
                // Found at once, without the clock moving.
                try await enqueue(fixture, ["a", "b"])
                try await eventually { try await isEmpty(fixture) }
            }
            #expect(try await fixture.effects().sorted() == ["a", "b", "before the start"])
        }
    }

    @Test("a thousand jobs are each done once, never more at a time than allowed", arguments: TestDatabase.allCases)
    func many(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let load = Shared((now: 0, most: 0))
            let handler = JobHandler.handle(Work.self, concurrency: 7) { job, _ in
                load.change { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) }
                await Task.yield()
                load.change { $0.now -= 1 }
                return .done { try $0.note(job.name) }
            }
            try await enqueue(fixture, (0..<1_000).map { "\($0)" })
            try await running(fixture.events.work([handler])) {
                try await eventually { try await isEmpty(fixture) }
            }
            #expect(Set(try await fixture.effects()) == Set((0..<1_000).map { "\($0)" }))
            #expect(try await fixture.effects().count == 1_000)
            #expect(load.value.most <= 7)
        }
    }

    @Test("a job that fails is tried again after a growing backoff, and is dead after its last attempt", arguments: TestDatabase.allCases)
    func dead(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let attempts = Shared<[(Int, Bool, Duration)]>([])
            let policy = RetryPolicy(maxAttempts: 4, base: .seconds(1), cap: .seconds(3))
            let handler = JobHandler.handle(Work.self, retry: policy) { _, context in
                attempts.change { $0.append((context.attempt, context.isLastAttempt, fixture.clock.now - VirtualTime.start)) }
                throw Refused()
            }
            try await enqueue(fixture, ["a"])
            try await running(fixture.events.work([handler])) {
                try await fixture.advance { try await states(fixture) == ["dead": 1] }
            }
            let seen = attempts.value
            #expect(seen.map(\.0) == [1, 2, 3, 4])
            #expect(seen.map(\.1) == [false, false, false, true])
            #expect(zip(seen.dropFirst(), seen).map { $0.2 - $1.2 >= .milliseconds(990) } == [true, true, true])
            #expect(seen[2].2 - seen[1].2 >= .milliseconds(1_990))
            let letter = try await fixture.database.read { try DeadJobs.list(limit: 1, in: $0).first }
            #expect(letter?.attempts == 4 && letter?.error == "Refused()")
        }
    }

    @Test("not yet is no failure; giving up is death at once, with its effect", arguments: TestDatabase.allCases)
    func outcomes(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let calls = Shared(0)
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 2, base: .seconds(1), cap: .seconds(1))) {
                job, context in
                #expect(context.attempt == 1)
                let call = calls.change { calls in
                    calls += 1
                    return calls
                }
                if call <= 10 { return .again(after: .seconds(2)) }
                return .dead(reason: "no such card") { try $0.note("gave up \(job.name)") }
            }
            try await enqueue(fixture, ["a"])
            try await running(fixture.events.work([handler])) {
                try await fixture.advance(by: .milliseconds(200)) { try await states(fixture) == ["dead": 1] }
            }
            #expect(fixture.clock.now - VirtualTime.start >= .seconds(20))
            #expect(try await fixture.effects() == ["gave up a"])
        }
    }

    @Test("a job of tomorrow waits for tomorrow")
    func later() async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture, ["a"], at: VirtualTime.start + .seconds(10))
            let handler = JobHandler.handle(Work.self) { job, _ in .done { try $0.note(job.name) } }
            try await running(fixture.events.work([handler])) {
                try await fixture.advance(by: .milliseconds(100)) { try await isEmpty(fixture) }
            }
            let elapsed = fixture.clock.now - VirtualTime.start
            #expect(elapsed >= .seconds(10))
        }
    }

    @Test("a key makes a job unique until it is done, and takes it back before it has begun", arguments: TestDatabase.allCases)
    func keys(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let jobs = fixture.events.jobs
            try await enqueue(fixture, ["first", "second"], key: "7")
            #expect(try await states(fixture) == ["waiting": 1])
            #expect(try await fixture.database.write { try jobs.cancel(Work.self, key: "7", in: $0) })
            #expect(try await isEmpty(fixture))
            #expect(try await fixture.database.write { try jobs.cancel(Work.self, key: "7", in: $0) } == false)

            try await enqueue(fixture, ["third"], key: "7")
            let hasBegun = Shared(false)
            let mayEnd = Shared(false)
            let handler = JobHandler.handle(Work.self) { job, _ in
                hasBegun.change { $0 = true }
                try await eventually { mayEnd.value }
                return .done { try $0.note(job.name) }
            }
            try await running(fixture.events.work([handler])) {
                try await eventually { hasBegun.value }
                // It is under way: it is carried through.
                #expect(try await fixture.database.write { try jobs.cancel(Work.self, key: "7", in: $0) } == false)
                mayEnd.change { $0 = true }
                try await eventually { try await isEmpty(fixture) }
                try await enqueue(fixture, ["fourth"], key: "7")
                try await eventually { try await isEmpty(fixture) }
            }
            #expect(try await fixture.effects() == ["third", "fourth"])
        }
    }

    @Test("the job of a worker that died is taken over when its lease ends, and only then", arguments: TestDatabase.allCases)
    func takeover(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            try await enqueue(fixture, ["a"])
            // A worker leases the job, and is never heard of again.
            let lost = try await fixture.database.write {
                try JobTable.lease(kind: "work", limit: 5, now: fixture.clock.now, until: fixture.clock.now + .seconds(30), in: $0)
            }
            #expect(lost.map(\.attempt) == [1])
            let attempt = Shared(0)
            let handler = JobHandler.handle(Work.self) { job, context in
                attempt.change { $0 = context.attempt }
                return .done { try $0.note(job.name) }
            }
            try await running(fixture.restarted().events.work([handler])) {
                try await fixture.advance(by: .milliseconds(250)) { try await isEmpty(fixture) }
            }
            #expect(fixture.clock.now - VirtualTime.start >= .seconds(30))
            #expect(attempt.value == 2)
            #expect(try await fixture.effects() == ["a"])
        }
    }

    @Test("a worker that lost its lease cannot record: the effect is that of the one that has it", arguments: TestDatabase.allCases)
    func fencing(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            try await enqueue(fixture, ["a"])
            func lease(at moment: Timestamp) async throws -> LeasedJob {
                let jobs = try await fixture.database.write {
                    try JobTable.lease(kind: "work", limit: 5, now: moment, until: moment + .seconds(30), in: $0)
                }
                return try #require(jobs.first)
            }
            let slow = try await lease(at: fixture.clock.now)
            fixture.clock.advance(by: .seconds(31))
            let fast = try await lease(at: fixture.clock.now)
            func attempt(_ job: LeasedJob, _ what: String) -> JobAttempt {
                JobAttempt(
                    job: job, handler: .handle(Work.self) { _, _ in .done { try $0.note(what) } }, database: fixture.database,
                    time: fixture.clock.source, randomness: Fixture.steady, logger: Fixture.logger)
            }
            _ = await attempt(slow, "slow").run()
            #expect(try await fixture.effects().isEmpty)
            #expect(try await states(fixture) == ["leased": 1])
            _ = await attempt(fast, "fast").run()
            _ = await attempt(slow, "slow again").run()
            #expect(try await fixture.effects() == ["fast"])
            #expect(try await isEmpty(fixture))
        }
    }

    @Test("a job that kills every worker that touches it dies too")
    func killer() async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture, ["a"])
            for _ in 1...3 {
                let taken = try await fixture.database.write {
                    try JobTable.lease(kind: "work", limit: 5, now: fixture.clock.now, until: fixture.clock.now + .seconds(30), in: $0)
                }
                #expect(taken.count == 1)
                fixture.clock.advance(by: .seconds(31))
            }
            let calls = Shared(0)
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 3, base: .seconds(1), cap: .seconds(1))) { _, _ in
                calls.change { $0 += 1 }
                return .done
            }
            try await running(fixture.events.work([handler])) {
                try await eventually { try await states(fixture) == ["dead": 1] }
            }
            #expect(calls.value == 0)
        }
    }

    @Test("a handler that takes too long is cancelled and has failed")
    func tooLong() async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture, ["a"])
            let handler = JobHandler.handle(
                Work.self, retry: RetryPolicy(maxAttempts: 1, base: .seconds(1), cap: .seconds(1)), lease: .seconds(10)
            ) { _, _ in
                try await fixture.clock.source.sleep(for: .seconds(1_000_000))
                return .done
            }
            try await running(fixture.events.work([handler])) {
                try await fixture.advance(by: .milliseconds(100)) { try await states(fixture) == ["dead": 1] }
            }
            #expect(fixture.clock.now - VirtualTime.start >= .seconds(9))
        }
    }

    @Test("an effect that the database refuses undoes itself and is a failed attempt", arguments: TestDatabase.allCases)
    func refusedEffect(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            try await enqueue(fixture, ["a"])
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 2, base: .seconds(1), cap: .seconds(1))) { job, _ in
                .done { transaction in
                    try transaction.note(job.name)
                    throw Refused()
                }
            }
            try await running(fixture.events.work([handler])) {
                try await fixture.advance { try await states(fixture) == ["dead": 1] }
            }
            #expect(try await fixture.effects().isEmpty)
        }
    }

    @Test("trouble of the database is no attempt of the job")
    func storageTrouble() async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture, ["a"])
            let calls = Shared(0)
            let handler = JobHandler.handle(Work.self, retry: RetryPolicy(maxAttempts: 1, base: .seconds(1), cap: .seconds(1))) { job, _ in
                guard
                    calls.change({ calls in
                        calls += 1
                        return calls
                    }) > 5
                else { throw StorageError.busy }
                return .done { try $0.note(job.name) }
            }
            try await running(fixture.events.work([handler])) {
                try await fixture.advance(by: .milliseconds(100)) { try await isEmpty(fixture) }
            }
            #expect(try await fixture.effects() == ["a"])
        }
    }

    @Test(
        "a recurring job comes back after its interval, also after it failed, also after a restart; one at a time",
        arguments: TestDatabase.allCases)
    func recurring(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let runs = Shared<[Duration]>([])
            let atOnce = Shared((now: 0, most: 0))
            let handler = JobHandler.every(.seconds(60), name: "sweep") { _ in
                atOnce.change { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) }
                await Task.yield()
                atOnce.change { $0.now -= 1 }
                let count = runs.change { runs in
                    runs.append(fixture.clock.now - VirtualTime.start)
                    return runs.count
                }
                if count == 2 { throw Refused() }
            }
            let other = fixture.restarted()
            try await running(fixture.events.work([handler]), other.events.work([handler])) {
                // The first time it is due at once, and time stands still until then.
                try await eventually { runs.value.count == 1 }
                try await fixture.advance(by: .milliseconds(200)) { runs.value.count == 4 }
            }
            let seen = runs.value
            #expect(seen[0] == .zero)
            #expect(seen[1] - seen[0] >= .seconds(60))
            // The second failed and was repeated after a backoff, not after an interval.
            #expect(seen[2] - seen[1] < .seconds(5))
            #expect(seen[3] - seen[2] >= .seconds(60))
            #expect(atOnce.value.most == 1)

            let third = fixture.restarted()
            try await running(third.events.work([.every(.seconds(5), name: "sweep") { _ in runs.change { $0.append(.zero) } }])) {
                try await fixture.advance(by: .milliseconds(200)) { runs.value.count == 5 }
            }
            // The interval became shorter: the new one counts from now on.
            #expect(fixture.clock.now - VirtualTime.start - seen[3] < .seconds(10))
        }
    }

    @Test("a worker that is told to stop finishes what it holds and takes nothing more", arguments: TestDatabase.allCases)
    func stop(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            try await enqueue(fixture, ["a", "b", "c"])
            let begun = Shared(0)
            let mayEnd = Shared(false)
            let handler = JobHandler.handle(Work.self, concurrency: 1) { job, _ in
                begun.change { $0 += 1 }
                try await eventually { mayEnd.value }
                return .done { try $0.note(job.name) }
            }
            try await running(fixture.events.work([handler])) {
                try await eventually { begun.value == 1 }
                Task { mayEnd.change { $0 = true } }
            }
            let effects = try await fixture.effects()
            #expect(!effects.isEmpty)
            #expect(effects.count == begun.value)
            #expect(try await states(fixture)["leased"] == nil)
        }
    }

    @Test("a worker that is killed while it works gives the job back")
    func cancelled() async throws {
        try await Fixture.with(.memory) { fixture in
            try await enqueue(fixture, ["a"])
            let hasBegun = Shared(false)
            let worker = fixture.events.work([
                .handle(Work.self) { _, _ in
                    hasBegun.change { $0 = true }
                    try await fixture.clock.source.sleep(for: .seconds(5))
                    return .done
                }
            ])
            let task = Task { try await worker.run() }
            try await eventually { hasBegun.value }
            task.cancel()
            try await task.value
            #expect(try await states(fixture) == ["waiting": 1])
            let attempts = try await fixture.database.read { try $0.value("SELECT attempts FROM jobs WHERE kind = 'work'", as: Int.self) }
            #expect(attempts == 0)
        }
    }
}
