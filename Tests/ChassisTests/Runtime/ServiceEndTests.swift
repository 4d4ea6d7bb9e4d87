import ChassisTesting
import Contracts
import HTTPTypes
import Metrics
import ServiceLifecycle
import Synchronization
import Testing

@testable import Chassis

@Suite("How a service ends", .timeLimit(.minutes(1)))
struct ServiceEndTests {
    private final class Diary: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func note(_ line: String) { lines.withLock { $0.append(line) } }
    }

    /// Does something when it is told to stop.
    private struct AtShutdown: ServiceLifecycle.Service {
        let action: @Sendable () async throws -> Void

        func run() async throws {
            try await gracefulShutdown()
            try await action()
        }
    }

    @Test("what is in front of the routes ends before they do, and what runs beside them after")
    func order() async throws {
        let harness = try ServiceHarness(.orders)
        let diary = Diary()
        let (clients, client) = AsyncStream<TestClient>.makeStream()
        var service = Service(.orders, authenticator: harness.platform.authenticator())
        service.run(AtShutdown { diary.note("beside") })
        service.runInFront(
            AtShutdown {
                for await client in clients.prefix(1) {
                    // No longer ready, so that nobody sends more; but what is under way is answered.
                    diary.note("ready \(try await client.get("/ready").status.code)")
                    diary.note("live \(try await client.get("/live").status.code)")
                }
            })
        service.atEnd { diary.note("end") }
        try await harness.run(service) { _ = client.yield($0) }
        #expect(diary.all == ["ready 503", "live 200", "beside", "end"])
    }

    @Test("what is sampled is sampled before the metrics are shown, each time")
    func sampling() async throws {
        let harness = try ServiceHarness(.orders)
        let diary = Diary()
        var service = Service(.orders, authenticator: harness.platform.authenticator())
        let meter = Meter(label: "samples", factory: harness.platform.metrics)
        service.beforeMetrics {
            diary.note("sampled")
            meter.set(diary.all.count)
        }
        try await harness.run(service) { client in
            for count in 1...3 {
                let text = try await client.get("/metrics").text
                #expect(text.contains("\nsamples \(count)\n"))
            }
        }
    }
}
