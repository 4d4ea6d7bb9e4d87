/// Why a feed cannot continue where a consumer stands. Neither mends itself: a person must look.
public struct FeedError: Error, Sendable, Hashable, CustomStringConvertible {
    enum Code: Sendable, Hashable { case truncated, ahead }

    let code: Code
    /// What a person reads, with the numbers.
    public let description: String

    /// Events after `position` have been trimmed already.
    static func truncated(position: Int64, trimmedThrough: Int64) -> FeedError {
        FeedError(
            code: .truncated,
            description:
                "events after \(position) are gone: the feed begins after \(trimmedThrough), and what lies between was not read in time")
    }

    /// The outbox ends before `position`: one of the two databases was replaced or restored from a backup.
    static func ahead(position: Int64, latest: Int64) -> FeedError {
        FeedError(
            code: .ahead,
            description: "the consumer is at \(position) but the feed ends at \(latest): one of the two databases is not the one it was")
    }

    /// The feed's answer was read over HTTP: `detail` is the producer's sentence.
    init?(problemKind: String, detail: String) {
        switch problemKind {
        case Self.truncatedKind: self.init(code: .truncated, description: detail)
        case Self.aheadKind: self.init(code: .ahead, description: detail)
        default: return nil
        }
    }

    private init(code: Code, description: String) {
        self.code = code
        self.description = description
    }

    public var isTruncated: Bool { code == .truncated }
    public var isAhead: Bool { code == .ahead }

    /// The last part of the problem's `type`.
    var problemKind: String {
        switch code {
        case .truncated: Self.truncatedKind
        case .ahead: Self.aheadKind
        }
    }

    private static let truncatedKind = "feed-truncated"
    private static let aheadKind = "feed-ahead"
}
