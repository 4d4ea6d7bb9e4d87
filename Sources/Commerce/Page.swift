/// One page of a list, and where the next one begins.
public struct Page<Element: Sendable>: Sendable {
    public let elements: [Element]
    /// What to pass as `cursor` for the next page; nil on the last one.
    public let nextCursor: String?

    public init(elements: [Element], nextCursor: String?) {
        self.elements = elements
        self.nextCursor = nextCursor
    }

    /// Makes a page of rows that were asked for with one more than `limit`: the extra row only tells that there is a next page.
    public init(rows: [Element], limit: Int, cursor: (Element) -> String) {
        let elements = Array(rows.prefix(limit))
        self.init(elements: elements, nextCursor: rows.count > limit ? elements.last.map(cursor) : nil)
    }

    public func map<Other: Sendable>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(elements: try elements.map(transform), nextCursor: nextCursor)
    }
}

/// What a caller asks of a list: how many, and from where.
public struct PageRequest: Sendable, Hashable {
    public static let limits = 1...200
    public static let defaultLimit = 50

    public let limit: Int
    /// Opaque to the caller; what it holds is the list's own business.
    public let cursor: String?

    public init(limit: Int = PageRequest.defaultLimit, cursor: String? = nil) {
        self.limit = limit
        self.cursor = cursor
    }
}
