import Chassis
import ChassisStorage
import Contracts
import Testing
import Tracing

@testable import ChassisEvents

@Suite("Traces", .serialized)
struct TracingTests {
    struct Work: Job {
        static let kind = "work"
    }

    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private static let install: Void = InstrumentationSystem.bootstrap(OTLPTracer.propagating(randomness: .system))

    @Test("an event, and the job that its handler enqueues, belong to the trace of the request that appended it")
    func propagation() async throws {
        Self.install
        try await Fixture.with(.memory) { fixture in
            try await EventTracing.withSpan("request", of: Self.parent) { try await fixture.append(1...1) }
            try await fixture.append(2...2)
            let events = try await fixture.events.reader.read(after: 0, limit: 10, wait: .zero)
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            #expect(events[0].traceparent?.contains(trace) == true)
            #expect(events[1].traceparent?.contains(trace) != true)

            try await Fixture.with(.memory, service: .payments) { consumer in
                let jobs = consumer.events.jobs
                let seen = Shared<[String?]>([])
                let handler = EventHandler.on(Happened.self) { _, _, transaction in try jobs.enqueue(Work(), in: transaction) }
                let worker = JobHandler.handle(Work.self) { _, _ in
                    let traceparent = EventTracing.currentTraceparent()
                    seen.change { $0.append(traceparent) }
                    return .done
                }
                try await running(
                    consumer.events.consume(Consumer(of: .orders, handlers: [handler]), from: .outbox(of: fixture.events)),
                    consumer.events.work([worker])
                ) {
                    try await eventually { seen.value.count == 2 }
                }
                #expect(seen.value.count { $0?.contains(trace) == true } == 1)
            }
        }
    }
}
