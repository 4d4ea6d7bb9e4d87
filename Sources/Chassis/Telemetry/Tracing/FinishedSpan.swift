public import Tracing

/// A span that has ended: what the exporter sends.
public struct FinishedSpan: Sendable {
    public var name: String
    public let context: TraceContext
    public let parentSpanID: SpanID?
    public let kind: SpanKind
    public let startNanosecondsSinceEpoch: UInt64
    public internal(set) var endNanosecondsSinceEpoch: UInt64 = 0
    public internal(set) var attributes: SpanAttributes = [:]
    public internal(set) var events: [SpanEvent] = []
    public internal(set) var links: [SpanLink] = []
    public internal(set) var status: SpanStatus?
}
