public import CoreMetrics
public import HTTPTypes
public import Logging
public import ServiceLifecycle

/// Sends ended spans to an OpenTelemetry collector: OTLP over HTTP with JSON bodies (opentelemetry.io/docs/specs/otlp).
///
/// It works in the background and asks nothing of requests. A round begins when a batch has come together or an interval has passed. What the collector
/// refuses for now (429, 502, 503, 504) or does not answer is kept and tried again at each later interval, at most `attempts` times in all; meanwhile
/// the ``SpanBuffer`` fills and drops what does not fit. Whatever is dropped is counted in `tracing_spans_dropped_total`, and the log says once that
/// the collector is away and once that it is back.
///
/// At a graceful shutdown it makes a last round, bounded by `shutdownTimeout`. Put it first in the `ServiceGroup`: groups stop in reverse order, so that
/// the spans of everything else have ended by then.
public struct OTLPExporter: ServiceLifecycle.Service {
    /// Sends one POST and returns the status; throws when there was no answer. It should give up when its task is cancelled.
    public typealias Post = @Sendable (_ path: String, _ headers: HTTPFields, _ body: [UInt8]) async throws -> Int

    public struct Settings: Sendable {
        /// How long a span waits at most for others to go with. OpenTelemetry's default.
        public var interval: Duration = .seconds(5)
        /// How long one request may take.
        public var timeout: Duration = .seconds(5)
        /// How often a batch is sent at most.
        public var attempts = 5
        /// How long the last round may take.
        public var shutdownTimeout: Duration = .seconds(5)

        public init() {}
    }

    static let path = "/v1/traces"

    private let buffer: SpanBuffer
    private let resource: OTLPResource
    private let settings: Settings
    private let headers: HTTPFields
    private let logger: Logger
    private let time: TimeSource
    private let post: Post
    private let exported: Counter
    private let droppedByBuffer: Counter
    private let droppedByCollector: Counter

    /// - Parameters:
    ///   - headers: sent along, as a hosted collector's key.
    ///   - post: the HTTP client, pointed at the collector. Its own calls must not be traced.
    public init(
        buffer: SpanBuffer,
        resource: OTLPResource,
        settings: Settings = Settings(),
        headers: HTTPFields = [:],
        metrics: any MetricsFactory = MetricsSystem.factory,
        logger: Logger,
        time: TimeSource = .system,
        post: @escaping Post
    ) {
        self.buffer = buffer
        self.resource = resource
        self.settings = settings
        self.headers = headers.merging([.contentType: "application/json"])
        self.logger = logger
        self.time = time
        self.post = post
        self.exported = Counter(label: "tracing.spans.exported", factory: metrics)
        self.droppedByBuffer = Counter(label: "tracing.spans.dropped", dimensions: [("reason", "buffer_full")], factory: metrics)
        self.droppedByCollector = Counter(label: "tracing.spans.dropped", dimensions: [("reason", "not_delivered")], factory: metrics)
    }

    /// Runs until the task is cancelled or shut down gracefully. Call it once.
    public func run() async throws {
        var round = Round()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await tick() }
            await withGracefulShutdownHandler {
                for await reason in buffer.wakeUps { await export(&round, after: reason) }
            } onGracefulShutdown: {
                buffer.finishWakeUps()
            }
            group.cancelAll()
        }
        await exportLast(round)
    }

    private func tick() async {
        while (try? await time.sleep(for: settings.interval)) != nil { buffer.wake(.tick) }
    }
}

// MARK: - Rounds

extension OTLPExporter {
    /// What is carried from one round to the next.
    private struct Round {
        var waiting: Batch?
        var collectorIsAway = false
    }

    private struct Batch {
        let spans: [FinishedSpan]
        var attempts = 0
    }

    private enum Outcome: Sendable {
        case delivered
        /// Worth another attempt.
        case unavailable(String)
        /// The collector will never take it.
        case refused(status: Int)
    }

    /// Sends all that waits, oldest first, until the collector turns out to be away. A full buffer does not shorten the pause before another attempt.
    private func export(_ round: inout Round, after reason: SpanBuffer.WakeUp) async {
        if round.waiting != nil, reason == .full { return countDropped() }
        while var batch = round.waiting ?? nextBatch() {
            round.waiting = nil
            batch.attempts += 1
            let outcome = await send(batch)
            note(outcome, in: &round)
            switch outcome {
            case .delivered:
                exported.increment(by: batch.spans.count)
            case .refused:
                droppedByCollector.increment(by: batch.spans.count)
            case .unavailable where batch.attempts < settings.attempts:
                round.waiting = batch
                return countDropped()
            case .unavailable:
                droppedByCollector.increment(by: batch.spans.count)
                return countDropped()
            }
        }
        countDropped()
    }

    /// The last round: one attempt for everything within the time there is; what remains is dropped and counted.
    private func exportLast(_ round: Round) async {
        let deadline = time.monotonic + settings.shutdownTimeout
        var batch = round.waiting ?? nextBatch()
        while let spans = batch?.spans {
            let remaining = deadline - time.monotonic
            guard remaining > .zero, !Task.isCancelled, case .delivered = await send(Batch(spans: spans), within: remaining) else {
                droppedByCollector.increment(by: spans.count)
                break
            }
            exported.increment(by: spans.count)
            batch = nextBatch()
        }
        buffer.close()
        while let batch = nextBatch() { droppedByCollector.increment(by: batch.spans.count) }
        countDropped()
    }

    private func nextBatch() -> Batch? {
        let spans = buffer.take()
        return spans.isEmpty ? nil : Batch(spans: spans)
    }

    private func countDropped() {
        let dropped = buffer.takeDropped()
        if dropped > 0 { droppedByBuffer.increment(by: dropped) }
    }

    /// Says that the collector went away, refused, or came back: each once, not at every round.
    private func note(_ outcome: Outcome, in round: inout Round) {
        switch outcome {
        case .delivered:
            if round.collectorIsAway { logger.notice("trace collector is back") }
            round.collectorIsAway = false
        case .unavailable(let reason):
            if !round.collectorIsAway { logger.warning("trace collector is away", metadata: ["reason": "\(reason)"]) }
            round.collectorIsAway = true
        case .refused(let status):
            logger.warning("trace collector refused spans", metadata: ["status": "\(status)"])
        }
    }
}

// MARK: - One request

extension OTLPExporter {
    private func send(_ batch: Batch) async -> Outcome {
        await send(batch, within: settings.timeout)
    }

    private func send(_ batch: Batch, within limit: Duration) async -> Outcome {
        let body = OTLPDocument.bytes(batch.spans, resource: resource)
        let timeout = min(limit, settings.timeout)
        return await withTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                do {
                    return Self.outcome(status: try await post(Self.path, headers, body))
                } catch {
                    return .unavailable(String(describing: error))
                }
            }
            group.addTask {
                // Cancelled as soon as there is an answer; then it has nothing to say.
                (try? await time.sleep(for: timeout)).map { .unavailable("no answer within \(timeout)") }
            }
            for await case .some(let outcome) in group {
                group.cancelAll()
                return outcome
            }
            return .unavailable("cancelled")
        }
    }

    /// The statuses that OTLP names as worth another attempt; any 2xx is a success.
    private static func outcome(status: Int) -> Outcome {
        switch status {
        case 200..<300: .delivered
        case 429, 502, 503, 504: .unavailable("status \(status)")
        default: .refused(status: status)
        }
    }
}

extension HTTPFields {
    fileprivate func merging(_ others: HTTPFields) -> HTTPFields {
        var merged = self
        for field in others { merged[field.name] = field.value }
        return merged
    }
}
