import NIOCore

/// How the cache took part in answering a request.
public enum CacheResult: String, Sendable, CaseIterable {
    /// What was stored was given.
    case hit
    /// It was not there.
    case miss
    /// It was not there, and what another request fetched was given.
    case coalesced
    /// The request is not one that the cache answers.
    case bypass
}

/// What one exchange has to do with the cache.
final class CacheVisit {
    enum Part {
        /// Nothing more: what comes is passed on.
        case passes
        /// It may change what is stored for the address.
        case changes(CacheTarget)
        case waits
        case fetches(CacheFill)
        case records(CacheRecording)
        case replays
    }

    /// What a request wants that the cache may answer.
    struct Wish {
        let sent: SentRequest
        let request: CacheRequest
        let key: ResponseKey
    }

    var part = Part.passes
    var wish: Wish?
    /// Nil: the route does not cache.
    var result: CacheResult?
    /// Others wait for what it fetches.
    var leads = false
    /// How often it has waited for others.
    var waits = 0
    /// It is being looked at whether its client holds up the others.
    var isWatched = false

    // What is left of a replayed body.
    var rest = ByteBuffer()
    var isPaused = false

    private static let pieceBytes = 64 * 1024
    static let maximumWaits = 2

    func nextPiece() -> ByteBuffer? {
        rest.readableBytes == 0 ? nil : rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes))
    }
}
