import NIOCore

/// What a request allows a cache to do.
struct CacheRequest: Hashable, Sendable {
    enum Use: Hashable, Sendable {
        /// Nothing: it goes to the upstream as if there were no cache.
        case bypass
        /// What is stored will not do. It goes to the upstream, and what comes back takes the place of what is stored.
        case refresh
        case lookUp
    }

    private(set) var use = Use.lookUp
    let isHead: Bool
    /// It has `If-None-Match` or `If-Modified-Since`, so the upstream may answer without a body.
    private(set) var isConditional = false
    /// Nothing but what is stored will do (`only-if-cached`).
    let allowsStoredOnly: Bool
    private let maximumAge: Int
    private let minimumFreshness: Int

    /// - Parameter head: of a GET or HEAD.
    init(_ head: RequestHead) {
        isHead = head.isHead
        let directives = CacheDirectives(head)
        allowsStoredOnly = directives.allowsStoredOnly
        maximumAge = directives.maximumAge ?? .max
        minimumFreshness = directives.minimumFreshness ?? 0
        var asksAfresh = directives.demandsValidation || directives.isMalformed || maximumAge == 0
        var (hasCacheControl, hasPragma, isOdd) = (false, false, false)
        head.bytes.withUnsafeReadableBytes { raw in
            for field in head.fields {
                switch Self.kind(field, raw[part: field.name]) {
                case .plain: break
                case .cacheControl: hasCacheControl = true
                case .pragma: raw[part: field.value].forEachListElement { if $0.spells("no-cache") { hasPragma = true } }
                case .condition: isConditional = true
                case .odd: isOdd = true
                }
            }
        }
        if hasPragma, !hasCacheControl { asksAfresh = true }
        if asksAfresh { use = .refresh }
        // Fields that `Connection` names do not reach the upstream: with them a client could have `Vary` speak of what nobody was told.
        if isOdd || directives.forbidsStoring || head.framing != .none || head.facts.asksUpgrade || head.facts.namesFields { use = .bypass }
    }

    /// Whether a stored response will do at `now`.
    func accepts(_ freshness: Freshness, at now: Int64) -> Bool {
        freshness.ageSeconds(at: now) <= maximumAge && freshness.remainingSeconds(at: now) >= minimumFreshness
    }

    // MARK: Fields

    private enum Kind {
        case plain, cacheControl, pragma, condition
        /// It asks for a part, for something only under a condition that is the upstream's to judge, or for what the key does not tell of.
        case odd
    }

    private static func kind(_ field: FieldEntry, _ name: UnsafeRawBufferPointer) -> Kind {
        switch field.known {
        case .expect: return .odd
        case .other: break
        default: return .plain
        }
        switch name.count {
        case 5 where name.spells("range"): return .odd
        case 6 where name.spells("pragma"): return .pragma
        case 8 where name.spells("if-match") || name.spells("if-range"): return .odd
        case 13 where name.spells("cache-control"): return .cacheControl
        case 13 where name.spells("if-none-match"): return .condition
        case 17 where name.spells("if-modified-since"): return .condition
        case 19 where name.spells("if-unmodified-since"): return .odd
        default: return overrides.contains { name.spells($0) } ? .odd : .plain
        }
    }

    /// What some frameworks take for the path, the host or the method.
    private static let overrides: [StaticString] = [
        "x-original-url", "x-rewrite-url", "x-original-host", "x-host", "x-http-method", "x-http-method-override", "x-method-override",
    ]
}

extension RequestHead {
    /// Whether the method may change something (RFC 9110 section 9.2.1). One that nobody knows may.
    var isUnsafe: Bool { !["GET", "HEAD", "OPTIONS", "TRACE"].contains(method) }
}
