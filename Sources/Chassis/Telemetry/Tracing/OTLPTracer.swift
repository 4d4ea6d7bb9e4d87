public import Tracing

/// The swift-distributed-tracing backend of every service: W3C Trace Context between services, spans to an ``OTLPExporter``.
///
/// With a buffer, every span of a sampled trace is recorded. Without one, nothing is: a context that came in is passed on unchanged, so that the spans of
/// those who do record stay connected, and a request without one gets a trace id for the logs alone.
public struct OTLPTracer: Tracer {
    private let buffer: SpanBuffer?
    private let sampler: TraceSampler
    private let randomness: Randomness

    /// - Parameters:
    ///   - buffer: where spans go when they end, to be emptied by an ``OTLPExporter``.
    ///   - randomness: seeds the ids.
    public init(sampler: TraceSampler, buffer: SpanBuffer, randomness: Randomness = .system) {
        self.init(sampler: sampler, buffer: buffer as SpanBuffer?, randomness: randomness)
    }

    private init(sampler: TraceSampler, buffer: SpanBuffer?, randomness: Randomness) {
        self.buffer = buffer
        self.sampler = sampler
        self.randomness = .identifiers(seededBy: randomness)
    }

    /// A tracer that only passes contexts on.
    public static func propagating(randomness: Randomness = .system) -> OTLPTracer {
        OTLPTracer(sampler: TraceSampler(ratio: 0), buffer: nil, randomness: randomness)
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> TraceSpan {
        var context = context()
        let parent = context.traceContext
        guard let buffer else {
            if parent == nil { context.traceContext = child(of: nil, isRecordable: false) }
            return TraceSpan(name: operationName, context: context)
        }
        let trace = child(of: parent, isRecordable: true)
        context.traceContext = trace
        guard trace.isSampled else { return TraceSpan(name: operationName, context: context) }
        let span = FinishedSpan(
            name: operationName, context: trace, parentSpanID: parent?.spanID, kind: kind,
            startNanosecondsSinceEpoch: instant().nanosecondsSinceEpoch)
        return TraceSpan(span, context: context, buffer: buffer)
    }

    private func child(of parent: TraceContext?, isRecordable: Bool) -> TraceContext {
        let traceID = parent?.traceID ?? .random(randomness)
        return TraceContext(
            traceID: traceID,
            spanID: .random(randomness),
            isSampled: isRecordable && sampler.isSampled(traceID, parent: parent),
            state: parent?.state ?? .empty
        )
    }

    /// Asks the exporter to send now what has ended so far; does not wait for it.
    public func forceFlush() {
        buffer?.wake(.full)
    }

    // MARK: Instrument

    /// Without a valid `traceparent` the context stays as it is.
    public func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
    where Extract.Carrier == Carrier {
        guard let parent = extractor.extract(key: TraceHeader.parent, from: carrier) else { return }
        let state = extractor.extract(key: TraceHeader.state, from: carrier)
        if let trace = TraceContext(traceparent: parent, tracestate: state) { context.traceContext = trace }
    }

    public func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
    where Inject.Carrier == Carrier {
        guard let trace = context.traceContext else { return }
        injector.inject(trace.traceparent, forKey: TraceHeader.parent, into: &carrier)
        let state = trace.state.headerValue
        if !state.isEmpty { injector.inject(state, forKey: TraceHeader.state, into: &carrier) }
    }
}
