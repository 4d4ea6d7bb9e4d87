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

    private final class Stripe: Sendable {
        let places: Mutex<[Place]>

        init(count: Int) { places = Mutex(Array(repeating: Place(), count: count)) }
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
                count += stripe.places.withLock { $0[start..<min(start + piece, $0.count)].count { $0.arrival > now } }
            }
        }
        return count
    }

    /// Looks at and changes the arrival time of one caller: 0 when it never came, or came so long ago that it does not matter.
    func withArrival<Result: Sendable>(of hash: UInt64, _ body: (inout Int64) -> Result) -> Result {
        // 0 marks a place that was never taken.
        let hash = hash == 0 ? 1 : hash
        let stripe = stripes[Int(hash % UInt64(Self.stripeCount))]
        let first = Int((hash / UInt64(Self.stripeCount)) % setsPerStripe) * Self.setSize
        return stripe.places.withLock { places in
            let index = Self.place(of: hash, in: places, first)
            if places[index].hash != hash { places[index] = Place(hash: hash) }
            return body(&places[index].arrival)
        }
    }

    /// Where the caller is, or goes: into the place whose time is over, or will be soonest.
    private static func place(of hash: UInt64, in places: [Place], _ first: Int) -> Int {
        var candidate = first
        for index in first..<first + setSize {
            if places[index].hash == hash { return index }
            if places[index].arrival < places[candidate].arrival { candidate = index }
        }
        return candidate
    }
}
