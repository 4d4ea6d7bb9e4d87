import Chassis
import ChassisStorage
import Commerce
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOEmbedded
import Testing

@testable import ChassisEvents

@Suite("Idempotency keys", .serialized)
struct IdempotencyTests {
    private struct Body: Codable {
        let n: Int
    }

    private func call(key: String?) throws -> Call {
        var head = HTTPRequest(method: .post, scheme: "http", authority: "test", path: "/api/orders")
        if let key { head.headerFields[.idempotencyKey] = key }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        let source = ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: Fixture.logger)
        return Call(request: request, context: CallContext(source: source))
    }

    private func idempotency(_ fixture: Fixture) -> Idempotency {
        Idempotency(database: fixture.database, time: fixture.clock.source, randomness: Fixture.steady)
    }

    /// A POST that has one effect, notes how often it was prepared, and answers with the number of its effect.
    private func post(
        _ idempotency: Idempotency, _ key: String?, scope: String = "user-1 POST /api/orders", body: Int = 1,
        prepare: @escaping @Sendable (IdempotencyKey) async throws -> Void = { _ in },
        commit: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Reply {
        let call = try call(key: key)
        let response = try await idempotency.once(
            call, scope: scope, fingerprint: try Idempotency.fingerprint(of: call, body: Body(n: body)), prepare: prepare
        ) { _, key, transaction in
            try transaction.note(key.value)
            try commit(transaction)
            let number = try transaction.value("SELECT COUNT(*) FROM effects", as: Int.self) ?? 0
            return try .json(["order": number], status: .created, headers: [.location: "/api/orders/\(number)"])
        }
        return try await Reply(response)
    }

    private struct Reply: Sendable {
        let status: Int
        let isReplayed: Bool
        let location: String?
        let text: String

        init(_ response: Response) async throws {
            status = response.status.code
            isReplayed = response.headers[.idempotencyReplayed] == "true"
            location = response.headers[.location]
            let collector = Collector()
            try await response.body.write(collector)
            text = collector.text.value
        }
    }

    private struct Collector: ResponseBodyWriter {
        let text = Shared("")
        mutating func write(_ buffer: ByteBuffer) async throws { text.change { $0 += String(buffer: buffer) } }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    @Test("a repeated request has no second effect and gets the same response, marked", arguments: TestDatabase.allCases)
    func replay(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let first = try await post(idempotency(fixture), "k1")
            // Another process: nothing but the database is shared.
            let second = try await post(idempotency(fixture), "k1")
            #expect(first.status == 201 && second.status == 201)
            #expect(first.text == #"{"order":1}"# && second.text == first.text)
            #expect(first.location == "/api/orders/1" && second.location == first.location)
            #expect(!first.isReplayed && second.isReplayed)
            #expect(try await fixture.effects() == ["k1"])
            // Other keys, other scopes and requests without a key are other requests.
            _ = try await post(idempotency(fixture), "k2")
            _ = try await post(idempotency(fixture), "k1", scope: "user-2 POST /api/orders")
            _ = try await post(idempotency(fixture), nil)
            _ = try await post(idempotency(fixture), nil)
            #expect(try await fixture.effects().count == 5)
            #expect(try await fixture.database.read { try $0.value("SELECT COUNT(*) FROM idempotency_keys", as: Int.self) } == 3)
        }
    }

    @Test("the same key sent fifty times at once: one effect, fifty equal responses", arguments: TestDatabase.allCases)
    func crowd(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let idempotency = idempotency(fixture)
            let prepared = Shared(0)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await post(
                            idempotency, "k",
                            prepare: { _ in
                                prepared.change { $0 += 1 }
                                for _ in 0..<20 { await Task.yield() }
                            })
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(replies.map(\.text)) == [#"{"order":1}"#])
            #expect(replies.count { !$0.isReplayed } == 1)
            #expect(prepared.value == 1)
            #expect(try await fixture.effects() == ["k"])
        }
    }

    @Test("two processes with the same key at once: one effect, and both answer with it", arguments: TestDatabase.allCases)
    func processes(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let prepared = Shared(0)
            // Neither commits before both are prepared: both have found nothing stored.
            let barrier: @Sendable (IdempotencyKey) async throws -> Void = { _ in
                prepared.change { $0 += 1 }
                try await eventually { prepared.value == 2 }
            }
            async let first = post(idempotency(fixture), "k", prepare: barrier)
            async let second = post(idempotency(fixture), "k", prepare: barrier)
            let replies = try await [first, second]
            #expect(replies.map(\.text) == [#"{"order":1}"#, #"{"order":1}"#])
            #expect(replies.count { $0.isReplayed } == 1)
            #expect(try await fixture.effects() == ["k"])
        }
    }

    @Test("the same key for another request is 422, and changes nothing")
    func reused() async throws {
        try await Fixture.with(.memory) { fixture in
            let idempotency = idempotency(fixture)
            _ = try await post(idempotency, "k", body: 1)
            await #expect { try await post(idempotency, "k", body: 2) } throws: {
                ($0 as? Problem)?.kind == "idempotency-key-reused" && ($0 as? Problem)?.status.code == 422
            }
            #expect(try await fixture.effects() == ["k"])
        }
    }

    @Test("a request that waits too long for another with its key is 409, and can be sent again")
    func inProgress() async throws {
        try await Fixture.with(.memory) { fixture in
            let idempotency = idempotency(fixture)
            let mayEnd = Shared(false)
            let hasBegun = Shared(false)
            let slow = Task {
                try await post(
                    idempotency, "k",
                    prepare: { _ in
                        hasBegun.change { $0 = true }
                        try await eventually { mayEnd.value }
                    })
            }
            try await eventually { hasBegun.value }
            let refused = Shared<Problem?>(nil)
            let impatient = Task {
                do {
                    _ = try await post(idempotency, "k")
                } catch let problem as Problem {
                    refused.change { $0 = problem }
                }
            }
            try await fixture.advance(by: .seconds(1)) { refused.value != nil }
            try await impatient.value
            #expect(refused.value?.kind == "idempotency-key-in-progress" && refused.value?.status == .conflict)
            #expect(refused.value?.headers[.retryAfter] == "1")
            mayEnd.change { $0 = true }
            #expect(try await slow.value.isReplayed == false)
            #expect(try await post(idempotency, "k").isReplayed)
        }
    }

    @Test("a refusal of the request is remembered, and nothing of its effect remains", arguments: [true, false], TestDatabase.allCases)
    func refusals(inCommit: Bool, kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let idempotency = idempotency(fixture)
            let calls = Shared(0)
            let refuse: @Sendable () throws -> Void = {
                calls.change { $0 += 1 }
                throw Problem(.badRequest, "insufficient-stock", "Insufficient stock")
            }
            for round in 0..<2 {
                let reply = try await post(
                    idempotency, "k", prepare: { _ in if !inCommit { try refuse() } }, commit: { _ in if inCommit { try refuse() } })
                #expect(reply.status == 400 && reply.text.contains("Insufficient stock") && reply.text.contains("/api/orders"))
                #expect(reply.isReplayed == (round == 1))
            }
            #expect(calls.value == 1)
            #expect(try await fixture.effects().isEmpty)
        }
    }

    @Test(
        "what says something about the moment is not remembered: the next attempt is a new one",
        arguments: [401, 403, 408, 409, 429, 500, 503])
    func moments(status: Int) async throws {
        try await Fixture.with(.memory) { fixture in
            let idempotency = idempotency(fixture)
            let problem = Problem(HTTPResponse.Status(code: status), "momentary", "Not now")
            for inCommit in [true, false] {
                await #expect(throws: Problem.self) {
                    try await post(
                        idempotency, "k", prepare: { _ in if !inCommit { throw problem } }, commit: { _ in if inCommit { throw problem } })
                }
            }
            let reply = try await post(idempotency, "k")
            #expect(!reply.isReplayed)
            #expect(try await fixture.effects() == ["k"])
        }
    }

    @Test("a process that dies after its preparation leaves nothing: the repeated request prepares again and has the effect")
    func crash() async throws {
        try await Fixture.with(.memory) { fixture in
            let keys = Shared<[String]>([])
            await #expect(throws: Refused.self) {
                try await post(
                    idempotency(fixture), "k", prepare: { key in keys.change { $0.append(key.value) } }, commit: { _ in throw Refused() })
            }
            #expect(try await fixture.effects().isEmpty)
            let reply = try await post(idempotency(fixture), "k", prepare: { key in keys.change { $0.append(key.value) } })
            #expect(reply.status == 201 && !reply.isReplayed)
            #expect(keys.value == ["k", "k"])
        }
    }

    @Test("a key that is no key is 400", arguments: ["", "tab\tbed", String(repeating: "x", count: 256), "schlüssel"])
    func badKeys(key: String) async throws {
        try await Fixture.with(.memory) { fixture in
            await #expect { try await post(idempotency(fixture), key) } throws: { ($0 as? Problem)?.status == .badRequest }
            let effects = try await fixture.effects()
            #expect(effects.isEmpty)
        }
    }

    @Test("a key is kept for three days and forgotten after them", arguments: TestDatabase.allCases)
    func retention(kind: TestDatabase) async throws {
        try await Fixture.with(kind) { fixture in
            let idempotency = idempotency(fixture)
            _ = try await post(idempotency, "old")
            fixture.clock.advance(by: .seconds(71 * 3600))
            _ = try await post(idempotency, "young")
            #expect(try await Retention.idempotencyKeys(of: idempotency).trim(fixture.database, fixture.clock.source) == 0)
            fixture.clock.advance(by: .seconds(2 * 3600))
            try await running(fixture.events.work([], trimming: [.idempotencyKeys(of: idempotency)])) {
                try await eventually {
                    try await fixture.database.read { try $0.value("SELECT COUNT(*) FROM idempotency_keys", as: Int.self) } == 1
                }
            }
            #expect(try await post(idempotency, "young").isReplayed)
            #expect(try await post(idempotency, "old").isReplayed == false)
        }
    }
}
