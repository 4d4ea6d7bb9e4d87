import Synchronization

/// Ended spans on their way to the exporter. Bounded: when the collector is slow or away, new spans are dropped and counted, and no request waits.
public final class SpanBuffer: Sendable {
    /// Why the exporter should look.
    enum WakeUp: Sendable {
        /// An interval has passed.
        case tick
        /// A whole batch has come together.
        case full
    }

    let wakeUps: AsyncStream<WakeUp>
    private let wakeUp: AsyncStream<WakeUp>.Continuation
    private let capacity: Int
    private let batchSize: Int
    private let state = Mutex(State())

    private struct State {
        var spans: [FinishedSpan] = []
        var dropped = 0
        var isClosed = false
    }

    /// - Parameters:
    ///   - capacity: how many spans may wait. OpenTelemetry's default.
    ///   - batchSize: how many are sent in one request.
    public init(capacity: Int = 2_048, batchSize: Int = 512) {
        self.capacity = max(1, capacity)
        self.batchSize = min(max(1, batchSize), self.capacity)
        // One pending wake-up is enough: whoever wakes takes all there is.
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func append(_ span: FinishedSpan) {
        let isBatch = state.withLock { state in
            guard !state.isClosed, state.spans.count < capacity else {
                state.dropped += 1
                return false
            }
            state.spans.append(span)
            return state.spans.count == batchSize
        }
        if isBatch { wakeUp.yield(.full) }
    }

    /// The oldest spans, at most a batch; empty if none wait.
    func take() -> [FinishedSpan] {
        state.withLock { state in
            let batch = Array(state.spans.prefix(batchSize))
            state.spans.removeFirst(batch.count)
            return batch
        }
    }

    /// How many spans were dropped since the last call.
    func takeDropped() -> Int {
        state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    func wake(_ reason: WakeUp) {
        wakeUp.yield(reason)
    }

    /// Ends ``wakeUps``, so that the exporter makes its last round.
    func finishWakeUps() {
        wakeUp.finish()
    }

    /// From now on every span is dropped: nobody will send it.
    func close() {
        state.withLock { $0.isClosed = true }
    }
}
