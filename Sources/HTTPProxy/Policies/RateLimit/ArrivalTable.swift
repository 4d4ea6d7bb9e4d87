import Synchronization

// Who came when, for as many callers as there is room for and not one more.
//
// Whoever limits by address keeps something of every address that comes, and an attacker can come from a million. So the table has a size that
// never changes, and forgets. It is a cache of sets: a caller's hash chooses a set of eight places, and within that the place that has the same
// hash. When none has, the one with the earliest arrival time goes. If that is in the past, its caller has the whole burst again, exactly like one
// who never came, and nothing is lost by forgetting it.
//
// Only when all eight are ahead of their time somebody is forgotten too early: the one who is the least ahead. So whoever floods the table with new
// addresses pushes out others of the kind, and not the one who is being held back.
//
// The hash is keyed by a secret of the process (`Hasher`, SipHash), so that nobody can choose addresses that fall into one set. Two callers of the
// same 64 bits would share their quota: of a million, that happens to one pair in thirty million tables.
//
// The event loops share the table, since a caller's connections may be on several. It is in stripes with a lock each; a lock is held for a look at
// eight places.

/// The theoretical arrival times of callers, in bounded memory.
final class ArrivalTable: Sendable {
    private struct Place {
        var hash: UInt64 = 0
        var arrival: Int64 = 0
    }

    private static let setSize = 8
    private static let stripeCount = 64

    private struct Contents: Sendable {
        var places: [Place]
        /// Nil: nobody is told.
        var takings: Takings?

        /// Where the caller is, or goes: into the place whose time is over, or will be soonest.
        mutating func place(of hash: UInt64, in set: Range<Int>) -> Int {
            var candidate = set.lowerBound
            for index in set {
                if places[index].hash == hash { return index }
                if places[index].arrival < places[candidate].arrival { candidate = index }
            }
            places[candidate] = Place(hash: hash)
            return candidate
        }
    }

    private final class Stripe: Sendable {
        let contents: Mutex<Contents>

        init(count: Int) { contents = Mutex(Contents(places: Array(repeating: Place(), count: count))) }
    }

    private let stripes: [Stripe]
    private let setsPerStripe: UInt64

    /// - Parameter capacity: how many callers it remembers at most, rounded up to a multiple of 512. Each takes 16 bytes.
    init(capacity: Int) {
        let sets = max(1, (capacity + Self.setSize * Self.stripeCount - 1) / (Self.setSize * Self.stripeCount))
        setsPerStripe = UInt64(sets)
        stripes = (0..<Self.stripeCount).map { _ in Stripe(count: sets * Self.setSize) }
    }

    /// How many callers it has room for.
    var capacity: Int { Int(setsPerStripe) * Self.setSize * Self.stripeCount }

    /// How many callers are ahead of their time at `now`, which forgetting them would give back to them. Looks at every place, but holds no lock for
    /// longer than a few microseconds.
    func countAhead(of now: Int64) -> Int {
        let piece = 1024
        var count = 0
        for stripe in stripes {
            for start in stride(from: 0, to: Int(setsPerStripe) * Self.setSize, by: piece) {
                count += stripe.contents.withLock { $0.places[start..<min(start + piece, $0.places.count)].count { $0.arrival > now } }
            }
        }
        return count
    }

    // MARK: Requests

    /// Takes one request of the caller's, if there is one to take.
    ///
    /// - Parameter caller: who that is, for the others; asked for only when they are told.
    func take(_ rate: CellRate, of hash: UInt64, now: Int64, caller: () -> SharedCaller) -> CellRate.Decision {
        withContents(of: hash) { contents, hash, place in
            let decision = rate.take(&contents.places[place].arrival, now: now)
            if decision.isGranted { contents.takings?.take(rate, of: hash, now: now, caller: caller) }
            return decision
        }
    }

    /// Gives one request back that was taken for nothing.
    func giveBack(_ rate: CellRate, of hash: UInt64, now: Int64, caller: () -> SharedCaller) {
        withContents(of: hash) { contents, hash, place in
            rate.giveBack(&contents.places[place].arrival)
            contents.takings?.giveBack(rate, of: hash, now: now, caller: caller)
        }
    }

    /// Looks at and changes the arrival time of one caller: 0 when it never came, or came so long ago that it does not matter.
    func withArrival<Result: Sendable>(of hash: UInt64, _ body: (inout Int64) -> Result) -> Result {
        withContents(of: hash) { contents, _, place in body(&contents.places[place].arrival) }
    }

    // MARK: What others are told, and tell

    /// From now on it is noted what was taken.
    /// - Parameter capacity: of how many callers until it is taken out.
    func noteTakings(capacity: Int) {
        for stripe in stripes { stripe.contents.withLock { $0.takings = Takings(capacity: capacity / Self.stripeCount) } }
    }

    /// What was taken since the last time.
    func removeTakings() -> (entries: [UInt64: Taking], untold: Int) {
        stripes.reduce(into: ([:], 0)) { all, stripe in
            guard let some = stripe.contents.withLock({ $0.takings?.removeAll() }) else { return }
            all.entries.merge(some.entries) { $1 }
            all.untold += some.untold
        }
    }

    /// With what others have taken the caller's time comes to `arrival`, not counting what was taken here and is not told yet.
    func learn(_ arrival: Int64, of hash: UInt64, now: Int64) {
        // Of whoever has the whole burst nothing need be kept.
        guard arrival > now else { return }
        withContents(of: hash) { contents, hash, place in
            let untold = contents.takings?.total(of: hash) ?? 0
            contents.places[place].arrival = max(contents.places[place].arrival, arrival + untold)
        }
    }

    private func withContents<Result: Sendable>(of hash: UInt64, _ body: (inout Contents, UInt64, _ place: Int) -> Result) -> Result {
        // 0 marks a place that was never taken.
        let hash = hash == 0 ? 1 : hash
        let stripe = stripes[Int(hash % UInt64(Self.stripeCount))]
        let first = Int((hash / UInt64(Self.stripeCount)) % setsPerStripe) * Self.setSize
        return stripe.contents.withLock { contents in
            let place = contents.place(of: hash, in: first..<first + Self.setSize)
            return body(&contents, hash, place)
        }
    }
}
