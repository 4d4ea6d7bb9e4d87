/// Where in which trace something happens, as W3C Trace Context passes it from service to service (Recommendation of 2021).
public struct TraceContext: Hashable, Sendable {
    public let traceID: TraceID
    /// The span that does the work; to the one who receives it, the parent.
    public let spanID: SpanID
    /// Whether whoever decided first wants the trace recorded.
    public let isSampled: Bool
    public let state: TraceState

    public init(traceID: TraceID, spanID: SpanID, isSampled: Bool, state: TraceState = .empty) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state
    }

    /// Reads the two headers. Nil if `traceparent` is not valid: then the receiver starts a trace of its own. A bad `tracestate` is dropped alone.
    ///
    /// `traceparent` is `version "-" trace-id "-" parent-id "-" flags` in lower-case hexadecimal, version never `ff`. Version 00 has exactly
    /// 55 characters; of a later version the first 55 are read, if a `-` or nothing follows. Of the flags only *sampled* is known.
    public init?(traceparent: String, tracestate: String? = nil) {
        let bytes = Array(traceparent.utf8.prefix(56))
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Hexadecimal.value(bytes[0..<2]), version != 0xFF,
            bytes.count == 55 || version > 0 && bytes[55] == dash,
            let traceID = TraceID(digits: bytes[3..<35]),
            let spanID = SpanID(digits: bytes[36..<52]),
            let flags = Hexadecimal.value(bytes[53..<55])
        else { return nil }
        self.init(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1, state: tracestate.flatMap { TraceState($0) } ?? .empty)
    }

    /// The header's value, in version 00 whichever came in; flags that are not known are sent as zero.
    public var traceparent: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(55)
        bytes.append(contentsOf: "00-".utf8)
        Hexadecimal.append(traceID.high, to: &bytes)
        Hexadecimal.append(traceID.low, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Hexadecimal.append(spanID.value, to: &bytes)
        bytes.append(contentsOf: (isSampled ? "-01" : "-00").utf8)
        return String(decoding: bytes, as: UTF8.self)
    }
}
