import Synchronization
public import Tracing

/// A span as ``OTLPTracer`` hands it out. One that is not sampled carries its context and nothing else: every call on it returns at once.
public struct TraceSpan: Span {
    public let context: ServiceContext
    private let initialName: String
    private let recording: Recording?

    /// A limit on what one span may gather, OpenTelemetry's default; more is dropped.
    private static let eventLimit = 128
    private static let linkLimit = 128

    /// The mutable part. Ends once; what is told to it afterwards is ignored.
    private final class Recording: Sendable {
        private let span: Mutex<FinishedSpan?>
        private let buffer: SpanBuffer

        init(_ span: FinishedSpan, buffer: SpanBuffer) {
            self.span = Mutex(span)
            self.buffer = buffer
        }

        var isOpen: Bool { span.withLock { $0 != nil } }

        func read<Value: Sendable>(_ body: (FinishedSpan) -> Value) -> Value? {
            span.withLock { $0.map(body) }
        }

        func update(_ body: (inout FinishedSpan) -> Void) {
            span.withLock { span in
                guard var open = span.take() else { return }
                body(&open)
                span = open
            }
        }

        func end(at nanosecondsSinceEpoch: UInt64) {
            guard var finished = span.withLock({ $0.take() }) else { return }
            finished.endNanosecondsSinceEpoch = max(finished.startNanosecondsSinceEpoch, nanosecondsSinceEpoch)
            buffer.append(finished)
        }
    }

    /// A span that is not recorded.
    init(name: String, context: ServiceContext) {
        self.context = context
        self.initialName = name
        self.recording = nil
    }

    init(_ span: FinishedSpan, context: ServiceContext, buffer: SpanBuffer) {
        self.context = context
        self.initialName = span.name
        self.recording = Recording(span, buffer: buffer)
    }

    public var isRecording: Bool { recording?.isOpen ?? false }

    public var operationName: String {
        get { recording?.read(\.name) ?? initialName }
        nonmutating set { recording?.update { $0.name = newValue } }
    }

    public var attributes: SpanAttributes {
        get { recording?.read(\.attributes) ?? [:] }
        nonmutating set { recording?.update { $0.attributes = newValue } }
    }

    public func setStatus(_ status: SpanStatus) {
        recording?.update { $0.status = status }
    }

    public func addEvent(_ event: SpanEvent) {
        recording?.update { span in
            if span.events.count < Self.eventLimit { span.events.append(event) }
        }
    }

    public func addLink(_ link: SpanLink) {
        recording?.update { span in
            if span.links.count < Self.linkLimit { span.links.append(link) }
        }
    }

    /// Adds an event named `exception`, as OpenTelemetry's semantic conventions say. The status is for the caller to set.
    public func recordError(_ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> some TracerInstant) {
        guard let recording, recording.isOpen else { return }
        var attributes = attributes
        attributes["exception.type"] = String(reflecting: type(of: error))
        attributes["exception.message"] = String(describing: error)
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    /// Ends the span; a second end is ignored. It is handed to the exporter's buffer, which never waits.
    public func end(at instant: @autoclosure () -> some TracerInstant) {
        guard let recording else { return }
        recording.end(at: instant().nanosecondsSinceEpoch)
    }
}
