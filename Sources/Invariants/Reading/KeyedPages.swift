// Two tables of two databases are compared under a common key, a page at a time: first a page of the effects in the order of the key, then
// the causes within the same range of keys. Each page keeps the order of reading that makes the comparison sound (see `Invariant`), the
// memory that it takes is bounded, and no snapshot is held for long, so that a running shop can still fold its log back.

/// Compares effects in one database with their causes in another.
struct KeyedPages<Key: Comparable & Hashable & Sendable, Effect: Sendable, Cause: Sendable>: Sendable {
    /// Keys of one page.
    static var size: Int { 2_000 }

    /// Before the first key.
    let start: Key
    /// A page of effects after a key, ascending, at most so many.
    let effects: @Sendable (_ after: Key, _ limit: Int) async throws -> [(key: Key, effect: Effect)]
    /// The causes after the first key up to and with the second.
    let causes: @Sendable (_ after: Key, _ through: Key) async throws -> [Key: Cause]

    /// Runs `compare` for every effect, with its cause if there is one.
    func compare(_ compare: (Key, Effect, Cause?) throws -> Void) async throws {
        var after = start
        while true {
            let page = try await effects(after, Self.size)
            guard let last = page.last?.key else { return }
            let found = try await causes(after, last)
            for (key, effect) in page { try compare(key, effect, found[key]) }
            guard page.count == Self.size else { return }
            after = last
        }
    }
}
