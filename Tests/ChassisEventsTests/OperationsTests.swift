import Chassis
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import NIOPosix
import Testing

@testable import ChassisEvents

/// What other services and operators reach over HTTP, through a real server.
@Suite("Feed and operations over HTTP", .serialized)
struct OperationsTests {
    struct Work: Job {
        static let kind = "work"
        let name: String
    }

    private func serve(
        _ fixture: Fixture, _ harness: ServiceHarness, background: @Sendable (inout Service) -> Void = { _ in },
        _ body: @escaping @Sendable (TestClient) async throws -> Void
    ) async throws {
        var service = Service(.orders, authenticator: harness.platform.authenticator())
        service.add(fixture.events.feed, fixture.events.operations)
        background(&service)
        try await harness.run(service, body)
    }

    /// Lives as long as the tests do, on connections of its own.
    private static let transport = HTTPTransport.asyncHTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)

    /// A client of the service under test as another service has one.
    private func serviceClient(_ harness: ServiceHarness, _ client: TestClient) -> ServiceClient {
        ServiceClient(
            to: .orders, baseURL: client.baseURL, transport: Self.transport, credentials: harness.platform.credentials, time: .system,
            randomness: .system)
    }

    @Test("another service follows the feed over HTTP; what it gets is what was appended", arguments: TestDatabase.allCases)
    func feed(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let harness = try ServiceHarness(.orders)
            try await fixture.append(1...120)
            try await serve(fixture, harness) { client in
                let source = EventSource.feed(of: serviceClient(harness, client))
                let first = try await source.read(0, 100, .zero)
                #expect(first.count == 100)
                #expect(first == (try await fixture.events.reader.read(after: 0, limit: 100, wait: .zero)))
                #expect(try await source.read(100, 100, .zero).count == 20)
                // Held until there is one.
                async let next = source.read(120, 100, .seconds(30))
                try await fixture.append(121...121)
                #expect(try await next.map(\.data) == [#"{"what":"121"}"#])
                await #expect { try await source.read(500, 100, .zero) } throws: { ($0 as? FeedError)?.isAhead == true }
            }
        }
    }

    @Test("a consumer that is too late reads a 410 that names the reason")
    func truncated() async throws {
        try await Fixture.with(.memory) { fixture in
            let harness = try ServiceHarness(.orders)
            try await fixture.append(1...3)
            fixture.clock.advance(by: .seconds(8 * 86_400))
            try await Retention.outbox(keeping: .seconds(7 * 86_400)).trim(fixture.database, fixture.clock.source)
            try await serve(fixture, harness) { client in
                let reply = try await client.get("/internal/events?after=1", as: .service(.payments))
                #expect(reply.status == .gone)
                #expect(reply.json["type"].string == "urn:souk:problem:feed-truncated")
                let source = EventSource.feed(of: serviceClient(harness, client))
                await #expect { try await source.read(1, 100, .zero) } throws: { ($0 as? FeedError)?.isTruncated == true }
            }
        }
    }

    @Test("a service that stops answers the waits it holds, so that they do not delay its end")
    func draining() async throws {
        try await Fixture.with(.memory) { fixture in
            let harness = try ServiceHarness(.orders)
            let waiting = Shared<Task<Int, any Error>?>(nil)
            let start = ContinuousClock.now
            try await serve(fixture, harness) { client in
                let source = EventSource.feed(of: serviceClient(harness, client))
                waiting.change { $0 = Task { try await source.read(0, 100, .seconds(30)).count } }
                // The wait is held once a request has been counted in; its answer comes with the stop.
                for _ in 0..<20 { _ = try await client.get("/health") }
            }
            #expect(ContinuousClock.now - start < .seconds(4))
            // Either an empty answer or a closed door, never a wait to the end.
            _ = await waiting.value?.result
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    @Test(
        "a request that makes no sense is told so",
        arguments: ["after=-1", "after=x", "after=99999999999999999999", "limit=0", "limit=501", "limit=1e2", "wait=-5", "wait=30001"])
    func badQueries(query: String) async throws {
        try await Fixture.with(.memory) { fixture in
            let harness = try ServiceHarness(.orders)
            try await serve(fixture, harness) { client in
                let reply = try await client.get("/internal/events?\(query)", as: .service(.payments))
                #expect(reply.status == .badRequest)
                #expect(reply.json["errors"][0]["pointer"].string == "?" + query.prefix { $0 != "=" })
            }
        }
    }

    @Test("none of it is for customers or strangers")
    func access() async throws {
        try await Fixture.with(.memory) { fixture in
            let harness = try ServiceHarness(.orders)
            try await serve(fixture, harness) { client in
                let calls: [(HTTPRequest.Method, String)] = [
                    (.get, "/internal/events"), (.get, "/internal/status"), (.get, "/internal/dead-letters"),
                    (.get, "/internal/dead-letters/job-1"),
                    (.post, "/internal/dead-letters/job-1/replay"), (.delete, "/internal/dead-letters/job-1"),
                ]
                for (method, path) in calls {
                    let toStranger = try await client.send(method, path)
                    let toCustomer = try await client.send(method, path, as: .user(7))
                    #expect(toStranger.status == .unauthorized)
                    #expect(toCustomer.status == .forbidden)
                }
                let toAdministrator = try await client.get("/internal/events", as: .administrator)
                #expect(toAdministrator.status == .forbidden)
            }
        }
    }

    @Test("a dead event is listed, shown with its payload, replayed with its effect, or discarded", arguments: TestDatabase.allCases)
    func deadEvents(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let harness = try ServiceHarness(.orders)
            let isMended = Shared(false)
            _ = fixture.events.consume(
                Consumer(
                    of: .orders,
                    handlers: [
                        .on(Happened.self) { event, _, transaction in
                            try transaction.note(event.what)
                            if !isMended.value { throw Refused() }
                        }
                    ]), from: EventSource { _, _, _ in [] })
            for sequence in 1...3 as ClosedRange<Int64> {
                let event = CloudEvent(
                    id: "e\(sequence)", source: "order-service", type: sequence == 3 ? "souk.gone" : Happened.eventType, subject: "7",
                    time: VirtualTime.start, sequence: sequence, data: #"{"what":"\#(sequence)"}"#)
                try await fixture.database.write {
                    try DeadEvents.park(event, error: "no", attempts: 5, now: VirtualTime.start + .seconds(sequence), in: $0)
                }
            }
            try await serve(fixture, harness) { client in
                let list = try await client.get("/internal/dead-letters", as: .service(.gateway)).json
                #expect(list.count == 3)
                #expect(
                    list[0] == [
                        "id": "event-1", "kind": "event", "type": "souk.test.happened", "subject": "7", "error": "no", "attempts": 5,
                        "since": "2027-01-15T08:00:01.000Z",
                    ])
                #expect(try await client.get("/internal/dead-letters/event-2", as: .administrator).json["payload"] == ["what": "2"])

                let refused = try await client.post("/internal/dead-letters/event-1/replay", as: .administrator)
                #expect(refused.status == .conflict && refused.json["type"].string == "urn:souk:problem:replay-failed")
                #expect(try await fixture.effects().isEmpty)
                #expect(try await client.get("/internal/dead-letters/event-1", as: .administrator).json["attempts"] == 6)

                isMended.change { $0 = true }
                #expect(try await client.post("/internal/dead-letters/event-1/replay", as: .administrator).status == .noContent)
                #expect(try await client.post("/internal/dead-letters/event-1/replay", as: .administrator).status == .notFound)
                #expect(try await fixture.effects() == ["1"])
                #expect(try await client.post("/internal/dead-letters/event-3/replay", as: .administrator).status == .conflict)
                #expect(try await client.delete("/internal/dead-letters/event-2", as: .administrator).status == .noContent)
                #expect(try await client.delete("/internal/dead-letters/event-2", as: .administrator).status == .notFound)
                #expect(try await client.get("/internal/dead-letters", as: .administrator).json.count == 1)
                for id in ["event-99", "job-99", "event-", "event--1", "order-1", "1", "job-1e3"] {
                    #expect(try await client.get("/internal/dead-letters/\(id)", as: .administrator).status == .notFound)
                }
            }
        }
    }

    @Test("a dead job is listed and done once it is replayed", arguments: TestDatabase.allCases)
    func deadJobs(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let harness = try ServiceHarness(.orders)
            let isMended = Shared(false)
            let handler = JobHandler.handle(Work.self) { job, _ in
                guard isMended.value else { return .dead(reason: "no", { _ in }) }
                return .done { try $0.note(job.name) }
            }
            try await fixture.database.write { [jobs = fixture.events.jobs] in
                try jobs.enqueue(Work(name: "a"), key: "7", in: $0)
                try jobs.enqueue(Work(name: "b"), in: $0)
            }
            try await serve(fixture, harness, background: { $0.run(fixture.events.work([handler])) }) { client in
                func list() async throws -> JSONValue { try await client.get("/internal/dead-letters", as: .administrator).json }
                try await eventually { try await list().count == 2 }
                let letter = try await list()[0]
                #expect(letter["kind"] == "job" && letter["type"] == "work" && letter["error"] == "no")
                isMended.change { $0 = true }
                let ids = try await (list()[0]["id"].string, list()[1]["id"].string)
                let first = try #require(ids.0)
                let second = try #require(ids.1)
                #expect(try await client.get("/internal/dead-letters/\(first)", as: .administrator).json["payload"]["name"].string != nil)
                #expect(try await client.post("/internal/dead-letters/\(first)/replay", as: .administrator).status == .noContent)
                try await eventually { try await fixture.effects().count == 1 }
                #expect(try await client.delete("/internal/dead-letters/\(second)", as: .administrator).status == .noContent)
                #expect(try await list().count == 0)
            }
        }
    }

    private struct Debt: Job {
        static let kind = "debt"
        static let isIndispensable = true
        let name: String
    }

    @Test("a dead job that is owed is not discarded: it can be replayed")
    func indispensable() async throws {
        try await Fixture.with(.memory) { fixture in
            let harness = try ServiceHarness(.orders)
            let isMended = Shared(false)
            let handler = JobHandler.handle(Debt.self) { job, _ in
                guard isMended.value else { return .dead(reason: "no", { _ in }) }
                return .done { try $0.note(job.name) }
            }
            try await fixture.database.write { [jobs = fixture.events.jobs] in try jobs.enqueue(Debt(name: "a"), in: $0) }
            try await serve(fixture, harness, background: { $0.run(fixture.events.work([handler])) }) { client in
                func list() async throws -> JSONValue { try await client.get("/internal/dead-letters", as: .administrator).json }
                try await eventually { try await list().count == 1 }
                let id = try #require(try await list()[0]["id"].string)
                let refused = try await client.delete("/internal/dead-letters/\(id)", as: .administrator)
                #expect(refused.status == .conflict && refused.json["type"] == "urn:souk:problem:indispensable-job", "\(refused.text)")
                #expect(try await list().count == 1)
                isMended.change { $0 = true }
                #expect(try await client.post("/internal/dead-letters/\(id)/replay", as: .administrator).status == .noContent)
                try await eventually { try await fixture.effects() == ["a"] }
            }
        }
    }

    @Test("status counts what waits and what is dead, and has the service's own numbers")
    func status() async throws {
        try await Fixture.withDatabase(.memory) { database in
            let clock = VirtualTime()
            let events = Events(
                service: .orders, database: database, time: clock.source, randomness: .system, logger: Fixture.logger,
                counters: [
                    StatusCounter("ordersWaiting") { try $0.value("SELECT COUNT(*) FROM effects") ?? 0 },
                    StatusCounter("service") { _ in 1 },
                ])
            _ = events.consume(Consumer(of: .payments, handlers: []), from: EventSource { _, _, _ in [] })
            try await database.write {
                try events.outbox.append(Happened(what: "x"), in: $0)
                try events.jobs.enqueue(Work(name: "a"), at: clock.now + .seconds(60), in: $0)
                try JobTable.establish(recurring: "every:sweep", interval: .seconds(60), now: clock.now, in: $0)
                try $0.note("an order")
            }
            let harness = try ServiceHarness(.orders)
            var service = Service(.orders, authenticator: harness.platform.authenticator())
            service.add(events.operations)
            try await harness.run(service) { client in
                let status = try await client.get("/internal/status", as: .administrator).json
                #expect(
                    status == [
                        "service": "order-service", "version": .string(SoukVersion.current), "jobsWaiting": 1, "jobsDead": 0,
                        "deadLetters": 0,
                        "outboxLatest": 1, "ordersWaiting": 1,
                        "consumers": [["source": "payment-service", "position": 0, "secondsBehind": 0]],
                    ])
            }
        }
    }
}
