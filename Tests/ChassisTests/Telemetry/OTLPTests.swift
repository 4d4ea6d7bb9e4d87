import Foundation
import HTTPTypes
import Logging
import Metrics
import ServiceLifecycle
import Synchronization
import Testing
import Tracing

@testable import Chassis

private func span(_ name: String) -> FinishedSpan {
    let context = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "v=1")
    guard let context else { preconditionFailure("the traceparent above is valid") }
    return FinishedSpan(
        name: name, context: context, parentSpanID: SpanID("00f067aa0ba902b7"), kind: .client, startNanosecondsSinceEpoch: 1_000,
        endNanosecondsSinceEpoch: 18_446_744_073_709_551_615)
}

private let resource = OTLPResource(service: "order-service", version: "1.0.0", instance: "i-1")

@Suite struct OTLPDocumentTests {
    @Test("spans are written as OTLP's JSON: hexadecimal ids, 64-bit numbers as strings, enums as numbers")
    func wholeDocument() {
        var span = span("POST /orders")
        span.attributes = ["count": .int64(3), "ratio": 0.5, "ok": true, "list": .stringArray(["a", "b"]), "customer.email": "T0P"]
        span.events = [
            SpanEvent(
                name: "exception", at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 5),
                attributes: ["exception.message": "a \"b\"\n"])
        ]
        span.status = SpanStatus(code: .error, message: "failed")
        var linked = ServiceContext.topLevel
        linked.traceContext = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        span.links = [SpanLink(context: linked, attributes: [:]), SpanLink(context: .topLevel, attributes: [:])]
        #expect(
            String(decoding: OTLPDocument.bytes([span], resource: resource), as: UTF8.self)
                == #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"order-service"}},"#
                + #"{"key":"service.version","value":{"stringValue":"1.0.0"}},{"key":"service.instance.id","value":{"stringValue":"i-1"}},"#
                + #"{"key":"telemetry.sdk.language","value":{"stringValue":"swift"}}]},"scopeSpans":[{"scope":{"name":"souk.chassis"},"spans":[{"#
                + #""traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","parentSpanId":"00f067aa0ba902b7","traceState":"v=1","#
                + #""name":"POST /orders","kind":3,"startTimeUnixNano":"1000","endTimeUnixNano":"18446744073709551615","attributes":["#
                + #"{"key":"count","value":{"intValue":"3"}},{"key":"customer.email","value":{"stringValue":"[redacted]"}},"#
                + #"{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}},"#
                + #"{"key":"ok","value":{"boolValue":true}},{"key":"ratio","value":{"doubleValue":0.5}}],"#
                + #""events":[{"timeUnixNano":"5","name":"exception","attributes":[{"key":"exception.message","value":{"stringValue":"a \"b\"\n"}}]}],"#
                + #""links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}],"#
                + #""status":{"message":"failed","code":2}}]}]}]}"#)
    }

    @Test("what JSON cannot say and what is too much is written so that a collector can read it")
    func oddValues() throws {
        var span = span("x")
        for index in 0..<200 { span.attributes["k\(index)"] = index }
        span.attributes["a.nan"] = Double.nan
        span.attributes["a.infinity"] = -Double.infinity
        span.attributes["a.long"] = String(repeating: "x", count: 10_000)
        let document = try JSONSerialization.jsonObject(with: Data(OTLPDocument.bytes([span], resource: resource)))
        let written = try #require(Self.spans(document).first)
        let attributes = try #require(written["attributes"] as? [[String: Any]])
        #expect(attributes.count == 128)
        #expect(written["droppedAttributesCount"] as? Int == 75)
        let values = attributes.prefix(3).compactMap { $0["value"] as? [String: String] }
        #expect(values.first == ["doubleValue": "-Infinity"])
        #expect(values.dropFirst().first?["stringValue"]?.utf8.count == 4_099)
        #expect(values.last == ["doubleValue": "NaN"])
    }

    static func spans(_ document: Any) -> [[String: Any]] {
        let resourceSpans = (document as? [String: Any])?["resourceSpans"] as? [[String: Any]]
        let scopeSpans = resourceSpans?.first?["scopeSpans"] as? [[String: Any]]
        return scopeSpans?.first?["spans"] as? [[String: Any]] ?? []
    }
}

/// A collector that answers as told and keeps what it was sent.
private final class Collector: Sendable {
    struct Away: Error {}

    private struct State {
        var answers: [Int?]
        var requests: [(path: String, headers: HTTPFields, spans: [String])] = []
    }

    private let state: Mutex<State>
    let received: AsyncStream<Int>
    private let receive: AsyncStream<Int>.Continuation

    /// - Parameter answers: statuses in order, nil for no connection; afterwards 200.
    init(answers: [Int?] = []) {
        state = Mutex(State(answers: answers))
        (received, receive) = AsyncStream.makeStream()
    }

    var requests: [(path: String, headers: HTTPFields, spans: [String])] { state.withLock { $0.requests } }

    func post(_ path: String, _ headers: HTTPFields, _ body: [UInt8]) throws -> Int {
        let document = try JSONSerialization.jsonObject(with: Data(body))
        let names = OTLPDocumentTests.spans(document).compactMap { $0["name"] as? String }
        let (answer, count) = state.withLock { state in
            state.requests.append((path, headers, names))
            return (state.answers.isEmpty ? 200 : state.answers.removeFirst(), state.requests.count)
        }
        receive.yield(count)
        guard let answer else { throw Away() }
        return answer
    }
}

@Suite(.timeLimit(.minutes(1))) struct OTLPExporterTests {
    private let clock = StoppedClock()
    private let registry = PrometheusRegistry(processMetrics: false)
    private let sink = LineSink()
    private let buffer = SpanBuffer(capacity: 10, batchSize: 3)

    private func exporter(_ post: @escaping OTLPExporter.Post) -> OTLPExporter {
        let handler = StructuredLogHandler(label: "x", service: "x", style: .json, output: sink.output)
        var settings = OTLPExporter.Settings()
        settings.attempts = 3
        return OTLPExporter(
            buffer: buffer, resource: resource, settings: settings, headers: [.authorization: "Bearer key"], metrics: registry,
            logger: Logger(label: "x", factory: { _ in handler }), time: clock.time, post: post)
    }

    /// Runs the exporter as a service for as long as `body` takes, then stops it gracefully.
    private func run(_ post: @escaping OTLPExporter.Post, _ body: () async throws -> Void) async throws {
        let group = ServiceGroup(services: [exporter(post)], logger: Logger(label: "group", factory: { _ in SwiftLogNoOpLogHandler() }))
        async let running: Void = group.run()
        try await body()
        await group.triggerGracefulShutdown()
        try await running
    }

    private func count(_ sample: String) -> String? {
        registry.render().split(separator: "\n").first { $0.hasPrefix(sample) }.flatMap { $0.split(separator: " ").last.map(String.init) }
    }

    private static let notDelivered = #"tracing_spans_dropped_total{reason="not_delivered"}"#
    private static let bufferFull = #"tracing_spans_dropped_total{reason="buffer_full"}"#

    @Test("a full batch is sent at once, in order, to the path and with the headers of OTLP over HTTP")
    func fullBatch() async throws {
        let collector = Collector()
        try await run(collector.post) {
            for index in 0..<3 { buffer.append(span("s\(index)")) }
            for await _ in collector.received { break }
        }
        let request = try #require(collector.requests.first)
        #expect(collector.requests.count == 1)
        #expect(request.path == "/v1/traces")
        #expect(request.headers == [.authorization: "Bearer key", .contentType: "application/json"])
        #expect(request.spans == ["s0", "s1", "s2"])
        #expect(count("tracing_spans_exported_total") == "3")
    }

    @Test("fewer spans are sent when the interval has passed")
    func interval() async throws {
        let collector = Collector()
        try await run(collector.post) {
            buffer.append(span("lonely"))
            await clock.whenSleeping(1)
            #expect(collector.requests.isEmpty)
            clock.advance(by: .seconds(5))
            for await _ in collector.received { break }
        }
        #expect(collector.requests.map(\.spans) == [["lonely"]])
    }

    @Test("a graceful stop sends everything that has ended, in batches")
    func flush() async throws {
        let collector = Collector()
        try await run(collector.post) {
            await clock.whenSleeping(1)
            for index in 0..<8 { buffer.append(span("s\(index)")) }
        }
        #expect(collector.requests.flatMap(\.spans) == (0..<8).map { "s\($0)" })
        #expect(collector.requests.allSatisfy { $0.spans.count <= 3 })
        #expect(count("tracing_spans_exported_total") == "8")
        #expect(count(Self.notDelivered) == "0")
    }

    @Test("while the collector is away spans are kept, tried again at each interval, and delivered when it is back")
    func comesBack() async throws {
        let collector = Collector(answers: [nil, 503])
        try await run(collector.post) {
            var received = collector.received.makeAsyncIterator()
            buffer.append(span("early"))
            await clock.whenSleeping(for: .seconds(5))
            clock.advance(by: .seconds(5))
            #expect(await received.next() == 1)
            await clock.whenSleeping(for: .seconds(5))
            // A batch that is full meanwhile does not shorten the pause.
            for index in 0..<3 { buffer.append(span("s\(index)")) }
            clock.advance(by: .seconds(5))
            #expect(await received.next() == 2)
            await clock.whenSleeping(for: .seconds(5))
            clock.advance(by: .seconds(5))
            #expect(await received.next() == 3)
            #expect(await received.next() == 4)
        }
        #expect(collector.requests.map(\.spans) == [["early"], ["early"], ["early"], ["s0", "s1", "s2"]])
        #expect(count("tracing_spans_exported_total") == "4")
        let messages = sink.lines.filter { $0.contains("trace collector") }
        #expect(messages.count == 2)
        #expect(messages.first?.contains("is away") == true)
        #expect(messages.last?.contains("is back") == true)
    }

    @Test("spans that a collector stays away from for all attempts are dropped and counted, as are those beyond the buffer")
    func staysAway() async throws {
        let collector = Collector(answers: Array(repeating: nil, count: 100))
        try await run(collector.post) {
            var received = collector.received.makeAsyncIterator()
            buffer.append(span("first"))
            for attempt in 1...3 {
                await clock.whenSleeping(1)
                clock.advance(by: .seconds(5))
                #expect(await received.next() == attempt)
            }
            for index in 0..<14 { buffer.append(span("s\(index)")) }
        }
        #expect(count(Self.notDelivered) == "11")
        #expect(count(Self.bufferFull) == "4")
        #expect(count("tracing_spans_exported_total") == "0")
    }

    @Test("what the collector will never take is dropped at once, and what follows is still sent")
    func refused() async throws {
        let collector = Collector(answers: [400])
        try await run(collector.post) {
            await clock.whenSleeping(1)
            for index in 0..<3 { buffer.append(span("bad\(index)")) }
            for await _ in collector.received { break }
            buffer.append(span("good"))
        }
        #expect(collector.requests.map(\.spans) == [["bad0", "bad1", "bad2"], ["good"]])
        #expect(count(Self.notDelivered) == "3")
        #expect(count("tracing_spans_exported_total") == "1")
    }

    @Test("a collector that never answers does not hold up the stop beyond its time")
    func hangs() async throws {
        let forever = clock.time
        let hang: OTLPExporter.Post = { _, _, _ in
            try await forever.sleep(for: .seconds(1_000_000_000))
            return 200
        }
        for index in 0..<6 { buffer.append(span("s\(index)")) }
        let group = ServiceGroup(services: [exporter(hang)], logger: Logger(label: "group", factory: { _ in SwiftLogNoOpLogHandler() }))
        async let running: Void = group.run()
        // Asleep are the interval, the request and its time limit.
        await clock.whenSleeping(3)
        await group.triggerGracefulShutdown()
        let passing = Task {
            while !Task.isCancelled {
                clock.advance(by: .seconds(1))
                await Task.yield()
            }
        }
        try await running
        passing.cancel()
        #expect(count(Self.notDelivered) == "6")
    }

    @Test("a span that ends after the last round is dropped")
    func afterTheEnd() async throws {
        try await run(Collector().post) {}
        buffer.append(span("late"))
        #expect(buffer.take().isEmpty)
        #expect(buffer.takeDropped() == 1)
    }
}
