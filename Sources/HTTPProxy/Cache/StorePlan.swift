import NIOCore

// Whether a response may be stored, and for whom (RFC 9111 section 3).
//
// A shared cache that guesses gives one customer what belongs to another. So nothing is guessed: a response is stored when the service says in so many words
// that it is for everybody (`public`) and for how long, and nothing else in it speaks against that. No lifetime is made up from other
// fields, and what is stale is never given.

/// What is needed to store a response whose head has come.
struct StorePlan: Hashable, Sendable {
    /// The fields that it depends on, in lower case, in order.
    let vary: [String]
    let freshness: Freshness
    /// Nil: not said before.
    let length: Int?

    private static let statuses: Set<Int> = [200, 301, 308, 404, 410]
    private static let maximumVaryNames = 8

    /// Nil when it is not to be stored.
    init?(_ head: ResponseHead, maximumBytes: Int, _ moment: Freshness.Moment) {
        guard Self.statuses.contains(head.status), !head.has("set-cookie") else { return nil }
        switch head.framing {
        case .length(let length) where length <= maximumBytes: self.length = length
        case .chunked: length = nil
        // Whether a body that ends with its connection is whole, nobody knows.
        case .length, .none, .untilClose: return nil
        }
        let directives = CacheDirectives(head)
        guard directives.isPublic, !directives.isPrivate, !directives.forbidsStoring, !directives.demandsValidation,
            !directives.isMalformed, let vary = Self.vary(of: head), let freshness = Freshness(head, directives, moment)
        else { return nil }
        // It was made for who takes that coding, and does not say so.
        guard !head.has("content-encoding") || vary.contains("accept-encoding") else { return nil }
        self.vary = vary
        self.freshness = freshness
    }

    /// Nil when it depends on what cannot be compared: on everything (`*`), or on a field that the gateway writes anew for each request.
    private static func vary(of head: ResponseHead) -> [String]? {
        var names: Set<String> = []
        var isUsable = true
        head.forEachValue(of: "vary") { list in
            list.forEachListElement { name in
                switch KnownField(name: name) {
                // It is a part of the key.
                case .host: return
                case .other where name.allSatisfy(\.isToken) && !name.spells("*"):
                    names.insert(String(decoding: name, as: UTF8.self).lowercased())
                default: isUsable = false
                }
            }
        }
        return isUsable && names.count <= maximumVaryNames ? names.sorted() : nil
    }
}
