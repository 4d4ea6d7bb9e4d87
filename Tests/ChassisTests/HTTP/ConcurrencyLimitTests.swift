import Chassis
import ChassisTesting
import Contracts
import HTTPTypes
import Hummingbird
import Testing

@Suite("How much a service takes on", .timeLimit(.minutes(1)))
struct ConcurrencyLimitTests {
    /// Answers when it is told to, and says when it was asked.
    private struct Slow: Controller {
        let asked: AsyncStream<Void>.Continuation
        let gate: AsyncStream<Void>

        var routes: [Route] {
            [.get("/api/slow", .anyone, slow), .get("/api/quick", .anyone, quick), .get("/internal/quick", .services, quick)]
        }

        @Sendable private func slow(_ call: Call) async throws -> Response {
            asked.yield()
            for await _ in gate { break }
            return Response(status: .ok)
        }

        @Sendable private func quick(_ call: Call) async throws -> Response { Response(status: .noContent) }
    }

    @Test("what is beyond the limit is told to come back, what services and orchestrators ask is not")
    func limit() async throws {
        let harness = try ServiceHarness(.orders) { $0.maximumConcurrentRequests = 1 }
        let (asked, isAsked) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        var service = Service(.orders, authenticator: harness.platform.authenticator())
        service.add(Slow(asked: isAsked, gate: gate))
        try await harness.run(service) { client in
            async let slow = client.get("/api/slow")
            for await _ in asked { break }

            let refused = try await client.get("/api/quick")
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.headers[.retryAfter] == "1")
            #expect(refused.json["type"] == "urn:souk:problem:service-busy")
            #expect(try await client.get("/internal/quick", as: .service(.payments)).status == .noContent)
            #expect(try await client.get("/ready").status == .ok)

            open.finish()
            #expect(try await slow.status == .ok)
            #expect(try await client.get("/api/quick").status == .noContent)
        }
    }
}
