/// Decides which traces are recorded: what the caller decided holds; of traces that begin here, a share.
public struct TraceSampler: Sendable {
    /// Ids below it are sampled.
    private let bound: UInt64

    /// - Parameter ratio: the share of new traces to record, 0…1; what lies outside counts as the nearer end.
    public init(ratio: Double) {
        let fraction = ratio.isNaN ? 0 : min(1, max(0, ratio))
        // 2⁶³ itself: half the id's range is used, as in OpenTelemetry's TraceIdRatioBased, so that services in other languages agree on each id.
        bound = UInt64(fraction * 0x1p63)
    }

    func isSampled(_ traceID: TraceID, parent: TraceContext?) -> Bool {
        parent?.isSampled ?? (traceID.low >> 1 < bound)
    }
}
