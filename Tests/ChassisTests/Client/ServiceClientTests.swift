import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing
import Tracing

@testable import Chassis

@Suite("Calls to other services")
struct ServiceClientTests {
    private struct Item: Codable, Sendable, Equatable {
        var name: String
    }

    private let clock = JumpingClock()

    private func client(_ service: ScriptedService, credentials: ServiceCredentials? = nil, policy: ClientPolicy = .standard)
        -> ServiceClient
    {
        ServiceClient(
            to: .products, baseURL: "http://products:3002/", transport: service.transport, credentials: credentials, time: clock.time,
            randomness: .system, policy: policy)
    }

    private func error(_ call: () async throws(ServiceClientError) -> some Any) async -> ServiceClientError? {
        do throws(ServiceClientError) {
            _ = try await call()
            return nil
        } catch {
            return error
        }
    }

    // MARK: What goes out and comes back

    @Test("a call carries who makes it, for which request, and its body; the answer is read")
    func request() async throws {
        let service = ScriptedService(clock, .status(201, body: #"{"name":"Laptop"}"#))
        let credentials = ServiceCredentials(
            secret: try ServiceSecret(String(repeating: "s", count: 32)), name: "order-service", time: clock.time)
        var context = ServiceContext.topLevel
        context.requestID = "request-1"
        let item = try await ServiceContext.withValue(context) {
            try await client(service, credentials: credentials).post("/internal/items/\(7)", body: Item(name: "a/b"), as: Item.self)
        }
        #expect(item == Item(name: "Laptop"))
        let request = try #require(service.requests.first)
        #expect(request.method == .post)
        #expect(request.url == "http://products:3002/internal/items/7")
        #expect(request.body == Data(#"{"name":"a/b"}"#.utf8))
        #expect(request.headers[.contentType] == "application/json")
        #expect(request.headers[.authorization] == "Bearer \(credentials.token())")
        #expect(request.headers[.xRequestID] == "request-1")
    }

    @Test("outside of a request and without credentials nothing is made up")
    func plainRequest() async throws {
        let service = ScriptedService(clock, .status(204, body: ""))
        #expect(try await client(service).send(.delete, "/x", idempotent: true, as: NoReply.self) == NoReply())
        let request = try #require(service.requests.first)
        #expect(request.headers[.authorization] == nil && request.headers[.xRequestID] == nil && request.headers[.contentType] == nil)
        #expect(request.body == nil)
    }

    @Test("a refusal is a problem with its kind and sentence")
    func problems() async {
        let document =
            #"{"type":"urn:souk:problem:insufficient-stock","title":"Bad Request","status":400,"error":"Insufficient stock","detail":"3 left"}"#
        let service = ScriptedService(clock, .status(400, body: document))
        let expected = ServiceProblem(
            service: .products, status: .badRequest, kind: "insufficient-stock", error: "Insufficient stock", detail: "3 left")
        #expect(
            await error { () async throws(ServiceClientError) in try await client(service).get("/x", as: Item.self) } == .problem(expected))
        #expect(service.requests.count == 1)
    }

    @Test(
        "a refusal that is no problem document is still one",
        arguments: ["", "<html>", "[]", "{}", #"{"type":"about:blank"}"#, #"{"type":7}"#])
    func otherRefusals(body: String) async {
        let service = ScriptedService(clock, .status(404, body: body))
        let error = await error { () async throws(ServiceClientError) in try await client(service).get("/x", as: Item.self) }
        guard case .problem(let problem) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problem.status == .notFound && problem.kind.isEmpty && !problem.error.isEmpty)
    }

    @Test("an answer that is not what was agreed is told as that", arguments: ["", "{", "[]", #"{"name":7}"#])
    func malformedReplies(body: String) async {
        let service = ScriptedService(clock, .status(200, body: body))
        #expect(
            await error { () async throws(ServiceClientError) in try await client(service).get("/x", as: Item.self) }
                == .malformedReply(.products))
        #expect(service.requests.count == 1)
    }

    // MARK: Repeating

    @Test("an idempotent call is repeated after a failure that may pass", arguments: [502, 503, 504])
    func retriesOfStatus(status: Int) async throws {
        let service = ScriptedService(clock, .status(status), .status(status), .status(200, body: #"{"name":"a"}"#))
        #expect(try await client(service).get("/x", as: Item.self).name == "a")
        #expect(service.requests.count == 3)
    }

    @Test("and after failures of the network", arguments: [TransportError.notConnected, .timedOut, .interrupted])
    func retriesOfFailures(failure: TransportError) async throws {
        let service = ScriptedService(clock, .failure(failure), .status(200, body: #"{"name":"a"}"#))
        #expect(try await client(service).get("/x", as: Item.self).name == "a")
        service.answer(.failure(failure))
        #expect(
            await error { () async throws(ServiceClientError) in try await client(service).get("/x", as: Item.self) }
                == .unavailable(.products))
        #expect(service.requests.count == 5)
    }

    @Test("a call that is not idempotent is made once, and its unknown outcome is called that")
    func noRetries() async {
        let expected: [(TransportError, ServiceClientError)] = [
            (.notConnected, .unavailable(.products)), (.timedOut, .timedOut(.products)), (.interrupted, .timedOut(.products)),
            (.replyTooLarge, .malformedReply(.products)), (.invalidRequest, .malformedRequest(.products)), (.cancelled, .cancelled),
        ]
        for (failure, error) in expected {
            let service = ScriptedService(clock, .failure(failure))
            #expect(
                await self.error { () async throws(ServiceClientError) in try await client(service).post("/x", as: Item.self) } == error)
            #expect(service.requests.count == 1)
        }
        let service = ScriptedService(clock, .status(503))
        #expect(
            await error { () async throws(ServiceClientError) in try await client(service).post("/x", as: Item.self) }?.isTransient == true)
        #expect(service.requests.count == 1)
    }

    @Test("answers and mistakes are not repeated", arguments: [400, 401, 404, 409, 429, 500, 501])
    func finalAnswers(status: Int) async throws {
        let service = ScriptedService(clock, .status(status))
        #expect(try await client(service).exchange(.get, "/x", idempotent: true).status.code == status)
        #expect(service.requests.count == 1)
    }

    @Test("who says when to come back is not asked again before")
    func retryAfter() async throws {
        let service = ScriptedService(clock, .status(503, headers: [.retryAfter: "1"]))
        #expect(try await client(service).exchange(.get, "/x", idempotent: true).status == .serviceUnavailable)
        #expect(service.requests.count == 1)
    }

    @Test("pauses are random, below 25 ms first and 75 ms then, never above 250 ms")
    func pauses() async {
        var policy = ClientPolicy()
        policy.attempts = 6
        var longest = [Duration](repeating: .zero, count: 5)
        for _ in 0..<50 {
            let clock = JumpingClock()
            let service = ScriptedService(clock, .status(503))
            let client = ServiceClient(
                to: .products, baseURL: "http://p", transport: service.transport, credentials: nil, time: clock.time, randomness: .system,
                policy: policy)
            _ = try? await client.exchange(.get, "/x", idempotent: true)
            #expect(clock.sleeps.count == 5)
            longest = zip(longest, clock.sleeps).map { max($0, $1) }
        }
        for (longest, limit) in zip(longest, [25, 75, 175, 250, 250]) {
            #expect(longest < .milliseconds(limit))
            #expect(longest > .milliseconds(limit) / 2, "50 draws below \(limit) ms")
        }
    }

    @Test("when all calls fail, retries stay within a fifth of the calls in flight")
    func retryBudget() async {
        let clock = StoppedClock()
        let count = CallCount()
        let transport = HTTPTransport { _, _ throws(TransportError) in
            await count.add()
            throw .interrupted
        }
        let client = ServiceClient(
            to: .products, baseURL: "http://p", transport: transport, credentials: nil, time: clock.time, randomness: .system)
        await withTaskGroup(of: Void.self) { group in
            // 19 calls: one fewer than the breaker needs to judge. Each retry that gets a place sleeps, and so keeps it.
            for _ in 0..<19 { group.addTask { _ = try? await client.exchange(.get, "/x", idempotent: true) } }
            await clock.whenSleeping(3)
            await count.reaches(19)
            group.cancelAll()
        }
        #expect(await count.value == 19)
    }

    // MARK: Time

    @Test("without a deadline the policy's times hold: 2 s an attempt, 5 s in all")
    func policyTimes() async {
        let service = ScriptedService(clock, .silence)
        #expect(
            await error { () async throws(ServiceClientError) in try await client(service).get("/x", as: Item.self) }
                == .unavailable(.products))
        #expect(service.timeouts.prefix(2) == [.seconds(2), .seconds(2)])
        #expect(service.timeouts.count == 3)
        #expect(clock.elapsed == .seconds(5))
    }

    @Test("a time of its own is for each attempt and for all of them")
    func ownTime() async {
        let service = ScriptedService(clock, .silence)
        _ = try? await client(service).exchange(.get, "/x", idempotent: true, timeout: .seconds(35))
        #expect(service.timeouts == [.seconds(35)])
    }

    @Test("the deadline of the request being answered limits the call, and shrinks on its way in")
    func deadline() async throws {
        let service = ScriptedService(clock, .silence)
        let deadline = Deadline(after: .milliseconds(1500), time: clock.time)
        clock.advance(by: .milliseconds(300))
        await Deadline.$current.withValue(deadline) {
            _ = try? await client(service).exchange(.post, "/x", idempotent: false, timeout: .seconds(30))
        }
        #expect(service.timeouts == [.milliseconds(1200)])
        let sent = try #require(service.requests.first?.headers[.soukDeadline])
        #expect(sent == "1190")
        let received = try #require(Deadline.parse(header: sent, time: clock.time))
        #expect(received.remaining(clock.time) < .milliseconds(1200))
    }

    @Test("after the deadline nothing is sent")
    func passedDeadline() async {
        let service = ScriptedService(clock, .status(200))
        let deadline = Deadline(after: .zero, time: clock.time)
        let error = await Deadline.$current.withValue(deadline) { () async -> ServiceClientError? in
            await self.error { () async throws(ServiceClientError) in try await client(service).get("/x", as: Item.self) }
        }
        #expect(error == .unavailable(.products))
        #expect(service.requests.isEmpty)
    }

    @Test("no retry begins that has no time left")
    func retryWithinDeadline() async {
        let service = ScriptedService(clock, .silence)
        let deadline = Deadline(after: .seconds(2), time: clock.time)
        await Deadline.$current.withValue(deadline) { _ = try? await client(service).exchange(.get, "/x", idempotent: true) }
        #expect(service.requests.count == 1)
        #expect(clock.elapsed == .seconds(2))
    }

    // MARK: The circuit breaker

    @Test("a service that is gone is left alone, and used again when it is back")
    func breaker() async throws {
        let service = ScriptedService(clock, .failure(.notConnected))
        let client = client(service)
        for _ in 0..<20 {
            #expect(
                await error { () async throws(ServiceClientError) in try await client.post("/x", as: Item.self) } == .unavailable(.products)
            )
        }
        #expect(service.requests.count == 5)
        service.answer(.status(200, body: #"{"name":"a"}"#))
        clock.advance(by: .seconds(1))
        for _ in 0..<20 { #expect(try await client.post("/x", as: Item.self).name == "a") }
    }

    @Test("timeouts of callers in a hurry do not open it")
    func hastyCallers() async {
        let service = ScriptedService(clock, .silence)
        let client = client(service)
        for _ in 0..<100 { _ = try? await client.exchange(.post, "/x", idempotent: false, timeout: .milliseconds(20)) }
        #expect(service.requests.count == 100)
        for _ in 0..<100 { _ = try? await client.exchange(.post, "/x", idempotent: false, timeout: .milliseconds(200)) }
        #expect(service.requests.count == 120)
    }
}

private actor CallCount {
    private(set) var value = 0
    private var waiters: [(Int, CheckedContinuation<Void, Never>)] = []

    func add() {
        value += 1
        for (count, waiter) in waiters where count <= value { waiter.resume() }
        waiters.removeAll { $0.0 <= value }
    }

    func reaches(_ count: Int) async {
        guard value < count else { return }
        await withCheckedContinuation { waiters.append((count, $0)) }
    }
}
