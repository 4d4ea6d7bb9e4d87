/// A part of the store: the responses of some of the keys, in line, and who is fetching one. Whoever owns it keeps it under a lock.
struct CacheStripe {
    /// Responses to one key that are kept at a time; of further ones the oldest goes.
    static let maximumVariants = 16

    private struct Slot {
        let fill: CacheFill
        let response: StoredResponse
        let cost: Int
    }

    /// What there is of one target.
    private struct Holdings {
        var slots: Set<Int> = []
        /// Fills that are under way.
        var fills: Set<UInt64> = []
        var isEmpty: Bool { slots.isEmpty && fills.isEmpty }
    }

    private var queue = SieveQueue()
    private var slots: [Slot?] = []
    /// The newest first.
    private var variants: [ResponseKey: [Int]] = [:]
    private var holdings: [CacheTarget: Holdings] = [:]

    var count: Int { queue.count }
    /// Fills that are under way.
    var fillCount: Int { holdings.values.reduce(0) { $0 + $1.fills.count } }

    enum Found: Sendable {
        case fresh(StoredResponse)
        /// `freed`: what was stale is gone, and with it so many bytes.
        case stale(freed: Int)
        /// There are responses, but for other values of the fields that they depend on, which are these.
        case otherVariants(names: [String])
        case nothing
    }

    mutating func find(_ key: ResponseKey, now: Int64, _ variant: (_ names: [String]) -> Variant) -> Found {
        guard let places = variants[key] else { return .nothing }
        for place in places {
            guard let slot = slots[place], slot.response.variant == variant(slot.response.variant.names) else { continue }
            guard slot.response.freshness.isFresh(at: now) else { return .stale(freed: remove(place)) }
            queue.mark(place)
            return .fresh(slot.response)
        }
        return .otherVariants(names: places.first.flatMap { slots[$0] }?.response.variant.names ?? [])
    }

    mutating func begin(_ fill: CacheFill) {
        holdings[fill.target, default: Holdings()].fills.insert(fill.number)
    }

    mutating func abandon(_ fill: CacheFill) {
        holdings[fill.target]?.fills.remove(fill.number)
        forgetIfEmpty(fill.target)
    }

    /// Stores what was fetched, in place of what there was of the same variant.
    /// - Returns: whether it is stored, which it is not when what it is about has changed meanwhile or somebody who asked later was first; and how
    ///   many bytes of others are free again.
    mutating func finish(_ fill: CacheFill, with response: StoredResponse, cost: Int) -> (isStored: Bool, freed: Int) {
        defer { forgetIfEmpty(fill.target) }
        guard holdings[fill.target]?.fills.remove(fill.number) != nil else { return (false, 0) }
        var places = variants[fill.key] ?? []
        var freed = 0
        if let same = places.first(where: { slots[$0]?.response.variant == response.variant }), let slot = slots[same] {
            guard slot.fill.number < fill.number else { return (false, 0) }
            freed += remove(same)
        } else if places.count == Self.maximumVariants, let oldest = places.last {
            freed += remove(oldest)
        }
        let place = queue.insert()
        if place == slots.count { slots.append(nil) }
        slots[place] = Slot(fill: fill, response: response, cost: cost)
        places = variants[fill.key] ?? []
        variants[fill.key] = [place] + places
        holdings[fill.target, default: Holdings()].slots.insert(place)
        return (true, freed)
    }

    /// Removes all of the target, and forgets who is fetching something of it.
    /// - Returns: how many bytes are free again.
    mutating func invalidate(_ target: CacheTarget) -> Int {
        guard let found = holdings[target] else { return 0 }
        let freed = found.slots.reduce(0) { $0 + remove($1) }
        holdings[target] = nil
        return freed
    }

    /// Removes what is worth least, until so many bytes are free again or everything was looked at once.
    mutating func evict(_ bytes: Int) -> Int {
        var (freed, looks) = (0, queue.count)
        while freed < bytes, let place = queue.evict(&looks) { freed += forget(place) }
        return freed
    }

    private mutating func remove(_ place: Int) -> Int {
        queue.remove(place)
        return forget(place)
    }

    /// - Returns: what it took.
    private mutating func forget(_ place: Int) -> Int {
        guard let slot = slots[place] else { return 0 }
        slots[place] = nil
        let (key, target) = (slot.fill.key, slot.fill.target)
        variants[key]?.removeAll { $0 == place }
        if variants[key]?.isEmpty ?? false { variants[key] = nil }
        holdings[target]?.slots.remove(place)
        forgetIfEmpty(target)
        return slot.cost
    }

    private mutating func forgetIfEmpty(_ target: CacheTarget) {
        if holdings[target]?.isEmpty ?? false { holdings[target] = nil }
    }
}

/// One exchange's leave to store what it fetches, until it has ended or something has changed.
struct CacheFill: Sendable {
    let key: ResponseKey
    let target: CacheTarget
    /// Later ones have higher numbers.
    let number: UInt64
    /// When the fetching began, in nanoseconds of the store's clock.
    let beganAt: Int64
}
