// One fetch for all who want the same at the same time.
//
// When something popular becomes stale, all who ask for it in the moment until it is there again would ask the service, which then has the most to do
// when it matters most that it is quick. So on each event loop the first one goes (it leads), and the others wait for what it brings. Each event loop
// has its own: to wait for somebody on another one would take messages between them, and there are only as many fetches as loops.
//
// Nobody must be worse off for having waited:
//
// - A leader that turns out to fetch something that cannot be stored lets all go at once, as soon as the head of the response tells, and for ten seconds
//   nobody waits for that key. The keys are remembered in a table of fixed size, where a later one may take an earlier one's place.
// - When the leader's client goes, one of those who wait leads.
// - When the head of the response names fields that it depends on (`Vary`), those who say something else in them go on by themselves, and lead
//   for their kind. Who comes later is told apart from the start.
// - Who waits keeps the deadline that his request has anyway, and who has waited twice in vain goes alone.

/// Who fetches what on one event loop, and who waits for it. Says who is to do something; does nothing itself.
struct Coalescing<Member: AnyObject> {
    enum Role: Hashable {
        /// Fetches it, for all who come meanwhile.
        case leads
        /// Is told when there is something to know.
        case waits
        /// Fetches it for itself.
        case goesAlone
    }

    private struct Flight {
        var leader: Member
        /// For whom it is; nil: not known yet.
        var variant: Variant?
        var waiting: [ObjectIdentifier: Member] = [:]
    }

    /// Of one key only a few: one for each variant that is being fetched.
    private var flights: [ResponseKey: [Flight]] = [:]
    private var refusals = RefusedKeys()

    /// Nothing is under way.
    var isEmpty: Bool { flights.isEmpty }

    /// Somebody wants what the key stands for, and it is not stored.
    /// - Parameters:
    ///   - mayLead: false for who would fetch something that is of no use to others.
    ///   - names: on which fields the response depends, as far as what is stored tells.
    ///   - variant: what it says in these fields.
    mutating func arrive(
        _ member: Member, at key: ResponseKey, now: Int64, mayLead: Bool, names: [String]? = nil,
        _ variant: (_ names: [String]) -> Variant
    ) -> Role {
        guard !refusals.contains(key, now: now) else { return .goesAlone }
        let known = flights[key] ?? []
        for (index, flight) in known.enumerated() {
            if let wanted = flight.variant, wanted != variant(wanted.names) { continue }
            flights[key]?[index].waiting[ObjectIdentifier(member)] = member
            return .waits
        }
        guard mayLead, known.count < CacheStripe.maximumVariants else { return .goesAlone }
        let expected = (names ?? known.first?.variant?.names).map(variant)
        flights[key, default: []].append(Flight(leader: member, variant: expected))
        return .leads
    }

    /// The leader knows now for whom its response is.
    /// - Returns: those who have waited for it in vain.
    mutating func learn(
        _ leader: Member, _ key: ResponseKey, _ variant: Variant, _ wanted: (_ member: Member, _ names: [String]) -> Variant
    ) -> [Member] {
        guard let index = index(of: leader, key) else { return [] }
        flights[key]?[index].variant = variant
        let others = flights[key]?[index].waiting.filter { wanted($0.value, variant.names) != variant } ?? [:]
        for id in others.keys { flights[key]?[index].waiting[id] = nil }
        return Array(others.values)
    }

    /// It is stored, or has changed meanwhile: all who have waited look again.
    mutating func end(_ leader: Member, _ key: ResponseKey) -> [Member] {
        guard let index = index(of: leader, key) else { return [] }
        return remove(index, key)
    }

    /// It is nothing that can be stored: all who have waited go on alone, and so do others for a while.
    mutating func refuse(_ leader: Member, _ key: ResponseKey, now: Int64) -> [Member] {
        refusals.insert(key, now: now)
        return end(leader, key)
    }

    /// Somebody fetches or waits no more, for a reason of its own.
    /// - Returns: who leads now in its place.
    mutating func leave(_ member: Member, _ key: ResponseKey) -> Member? {
        for index in (flights[key] ?? []).indices { flights[key]?[index].waiting[ObjectIdentifier(member)] = nil }
        guard let index = index(of: member, key) else { return nil }
        guard let (id, next) = flights[key]?[index].waiting.first else {
            _ = remove(index, key)
            return nil
        }
        flights[key]?[index].waiting[id] = nil
        flights[key]?[index].leader = next
        return next
    }

    private func index(of leader: Member, _ key: ResponseKey) -> Int? { flights[key]?.firstIndex { $0.leader === leader } }

    private mutating func remove(_ index: Int, _ key: ResponseKey) -> [Member] {
        let flight = flights[key]?.remove(at: index)
        if flights[key]?.isEmpty ?? false { flights[key] = nil }
        return flight.map { Array($0.waiting.values) } ?? []
    }
}

/// Keys for which nobody waits for a while. It never grows: each key has one place, which it shares with others.
struct RefusedKeys {
    static let seconds: Int64 = 10
    private static let places = 1024

    private var table: [(hash: Int, until: Int64)] = []

    mutating func insert(_ key: ResponseKey, now: Int64) {
        if table.isEmpty { table = Array(repeating: (0, .min), count: Self.places) }
        table[Self.place(of: key)] = (key.hash, now + Self.seconds * 1_000_000_000)
    }

    func contains(_ key: ResponseKey, now: Int64) -> Bool {
        guard !table.isEmpty else { return false }
        let (hash, until) = table[Self.place(of: key)]
        return hash == key.hash && now < until
    }

    private static func place(of key: ResponseKey) -> Int { Int(UInt(bitPattern: key.hash) % UInt(places)) }
}
