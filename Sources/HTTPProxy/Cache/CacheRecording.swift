import NIOCore

/// A response that is passed on and kept at the same time, until it is whole.
///
/// A class, so that the body grows in place.
final class CacheRecording {
    let fill: CacheFill
    private let head: ResponseHead
    private let plan: StorePlan
    private let variant: Variant
    private let unixSeconds: Int64
    private let maximumBytes: Int
    private let responses: ResponseCache
    private var body: ByteBuffer
    /// What is taken of the memory for recordings.
    private var taken: Int

    /// Nil when too many are being recorded.
    init?(
        _ head: ResponseHead, _ plan: StorePlan, _ variant: Variant, _ fill: CacheFill, unixSeconds: Int64, maximumBytes: Int,
        in responses: ResponseCache
    ) {
        taken = plan.length ?? 0
        guard responses.beginRecording(taken) else { return nil }
        self.head = head
        self.plan = plan
        self.variant = variant
        self.fill = fill
        self.unixSeconds = unixSeconds
        self.maximumBytes = maximumBytes
        self.responses = responses
        body = ByteBufferAllocator().buffer(capacity: taken)
    }

    deinit { responses.endRecording(taken) }

    /// Copies the piece, which is a part of a buffer that holds more. False when it is too much.
    func add(_ piece: ByteBuffer) -> Bool {
        let excess = body.readableBytes + piece.readableBytes - taken
        if excess > 0 {
            guard taken + excess <= maximumBytes, responses.beginRecording(excess) else { return false }
            taken += excess
        }
        body.writeImmutableBuffer(piece)
        return true
    }

    /// The response is whole.
    func finish() -> ResponseCache.Finish {
        guard
            let response = StoredResponse(
                head, body: body, variant: variant, freshness: plan.freshness, unixSeconds: unixSeconds)
        else {
            responses.abandon(fill)
            return .noRoom
        }
        return responses.finish(fill, with: response)
    }
}
