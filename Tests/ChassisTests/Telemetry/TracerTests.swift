import Metrics
import Testing
import Tracing

@testable import Chassis

private struct Headers: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

private let incoming = [
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1",
]

@Suite struct PropagatingTracerTests {
    private let tracer = OTLPTracer.propagating(randomness: countingRandomness())

    @Test("a context that came in goes out unchanged, and nothing is recorded")
    func passesOn() {
        var context = ServiceContext.topLevel
        tracer.extract(incoming, into: &context, using: Headers())
        var outgoing: [String: String] = [:]
        tracer.withSpan("work", context: context) { span in
            #expect(!span.isRecording)
            span.operationName = "renamed"
            span.attributes["k"] = "v"
            #expect(span.operationName == "work")
            #expect(span.attributes.isEmpty)
            tracer.inject(ServiceContext.current ?? .topLevel, into: &outgoing, using: Headers())
        }
        #expect(outgoing == incoming)
    }

    @Test("a request without a context gets a trace id for the logs, not sampled; inner spans share it")
    func startsTrace() throws {
        try tracer.withSpan("outer", context: .topLevel) { outer in
            let trace = try #require(outer.context.traceContext)
            #expect(!trace.isSampled)
            tracer.withSpan("inner") { #expect($0.context.traceContext == trace) }
        }
    }

    @Test(
        "a bad traceparent is as none, whatever the tracestate",
        arguments: ["", "garbage", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
    func badHeader(_ header: String) {
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": header, "tracestate": "a=1"], into: &context, using: Headers())
        tracer.extract(["tracestate": "a=1"], into: &context, using: Headers())
        #expect(context.traceContext == nil)
        var outgoing: [String: String] = [:]
        tracer.inject(context, into: &outgoing, using: Headers())
        #expect(outgoing.isEmpty)
    }
}

@Suite struct RecordingTracerTests {
    private let buffer = SpanBuffer(capacity: 4, batchSize: 3)

    private func tracer(ratio: Double) -> OTLPTracer {
        OTLPTracer(sampler: TraceSampler(ratio: ratio), buffer: buffer, randomness: countingRandomness())
    }

    private struct Failure: Error {}

    @Test("a span of a sampled trace is recorded with its parent, times, attributes and error")
    func records() throws {
        let tracer = tracer(ratio: 0)
        var context = ServiceContext.topLevel
        tracer.extract(incoming, into: &context, using: Headers())
        let parent = try #require(context.traceContext)
        let instant = DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1_000)
        let span = tracer.startSpan("GET", context: context, ofKind: .server, at: instant)
        span.operationName = "GET /orders/{id}"
        span.attributes["http.route"] = "/orders/{id}"
        span.recordError(Failure())
        span.setStatus(SpanStatus(code: .error))
        #expect(span.isRecording)
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 3_000))
        span.end()
        span.attributes["late"] = true
        #expect(!span.isRecording)

        let spans = buffer.take()
        let finished = try #require(spans.first)
        #expect(spans.count == 1)
        #expect(finished.name == "GET /orders/{id}")
        #expect(finished.context.traceID == parent.traceID)
        #expect(finished.context.spanID != parent.spanID)
        #expect(finished.context.state.headerValue == "vendor=1")
        #expect(finished.parentSpanID == parent.spanID)
        #expect(finished.startNanosecondsSinceEpoch == 1_000)
        #expect(finished.endNanosecondsSinceEpoch == 3_000)
        #expect(finished.attributes == ["http.route": "/orders/{id}"])
        #expect(finished.events.map(\.name) == ["exception"])
        #expect(finished.status?.code == .error)
    }

    @Test("a span that ends before it began, by a clock set back, has no negative duration")
    func clockSetBack() {
        let span = tracer(ratio: 1).startSpan("x", context: .topLevel, at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 9))
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 3))
        #expect(buffer.take().map(\.endNanosecondsSinceEpoch) == [9])
    }

    @Test("the caller's decision holds, whatever the ratio")
    func parentDecides() {
        var context = ServiceContext.topLevel
        context.traceContext = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
        let span = tracer(ratio: 1).startSpan("x", context: context)
        #expect(!span.isRecording)
        span.end()
        #expect(buffer.take().isEmpty)
        #expect(span.context.traceContext?.traceparent.hasSuffix("-00") == true)
    }

    @Test("of the traces that begin here the ratio is sampled", arguments: [0, 0.25, 1, -3, 7, Double.nan])
    func ratio(_ ratio: Double) throws {
        let sampler = TraceSampler(ratio: ratio)
        let sampled = (0..<1000).filter { index in
            // The ids spread evenly over the range that the sampler decides by.
            let low = UInt64(index) * (UInt64.max / 1000)
            return TraceID(high: 1, low: low).map { sampler.isSampled($0, parent: nil) } ?? false
        }
        let expected = ratio.isNaN ? 0 : min(1, max(0, ratio))
        #expect(abs(Double(sampled.count) - expected * 1000) <= 1)
    }

    @Test("a full buffer drops new spans, counts them, and keeps the old")
    func fullBuffer() {
        let tracer = tracer(ratio: 1)
        for index in 0..<10 { tracer.startSpan("s\(index)", context: .topLevel).end() }
        #expect(buffer.takeDropped() == 6)
        #expect(buffer.takeDropped() == 0)
        #expect(buffer.take().map(\.name) == ["s0", "s1", "s2"])
        #expect(buffer.take().map(\.name) == ["s3"])
        #expect(buffer.take().isEmpty)
    }

    @Test("a span gathers a bounded number of events and links")
    func spanLimits() throws {
        let span = tracer(ratio: 1).startSpan("x", context: .topLevel)
        for index in 0..<1000 {
            span.addEvent(SpanEvent(name: "e\(index)"))
            span.addLink(SpanLink(context: .topLevel, attributes: [:]))
        }
        span.end()
        let finished = try #require(buffer.take().first)
        #expect(finished.events.count == 128)
        #expect(finished.links.count == 128)
    }
}

@Suite struct IdentifierRandomnessTests {
    @Test("ids never repeat, on one thread or many, and two seeds give two streams")
    func distinct() async {
        let first = Randomness.identifiers(seededBy: countingRandomness())
        let ids = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<4 { group.addTask { (0..<10_000).map { _ in first.next() } } }
            return await group.reduce(into: Set<UInt64>()) { $0.formUnion($1) }
        }
        #expect(ids.count == 40_000)
        let sameCounter = Randomness.identifiers(seededBy: Randomness { 1 })
        #expect((0..<10_000).allSatisfy { _ in !ids.contains(sameCounter.next()) })
    }

    @Test("the bits of ids are evenly set")
    func even() {
        let source = Randomness.identifiers(seededBy: countingRandomness())
        let ids = (0..<4_096).map { _ in source.next() }
        for bit in 0..<64 {
            let share = Double(ids.count { $0 >> UInt64(bit) & 1 == 1 }) / 4_096
            #expect(abs(share - 0.5) < 0.05)
        }
    }
}
