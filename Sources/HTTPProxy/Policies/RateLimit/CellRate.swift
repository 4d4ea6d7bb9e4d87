// The generic cell rate algorithm (ITU-T I.371, annex A, in its form of virtual scheduling).
//
// Of each caller one number is kept: when the next request would be due if all came evenly, the theoretical arrival time. With a quota of 30 a minute
// requests are two seconds apart. One that comes late moves the time to two seconds from now; one that comes early moves it two seconds further
// into the future. How far ahead it may be is the burst: with a burst of 10, nine intervals. A request that finds it further ahead is refused and
// moves nothing, so that whoever keeps asking is served at the even rate and not punished for asking.
//
// Unlike counters of fixed windows it lets nobody spend two quotas around the moment at which a window begins, and unlike a log of times it
// needs eight bytes, whatever the quota. What is left and when it is whole again follow from the same number.

/// A quota that refills evenly.
struct CellRate: Sendable, Hashable {
    /// The time between two requests that come evenly, in nanoseconds.
    let interval: Int64
    /// How many may come at the same moment when nobody came before.
    let burst: Int64

    /// What one request met.
    struct Decision: Sendable, Hashable {
        let isGranted: Bool
        /// How many more would be granted at this moment.
        let remaining: Int64
        /// How long until the whole burst is there again, in nanoseconds.
        let nanosecondsUntilWhole: Int64
        /// How long a refused caller has to wait for one request, in nanoseconds; 0 when it is granted.
        let nanosecondsUntilNext: Int64
    }

    /// - Parameters:
    ///   - quota: requests in a window, at least 1.
    ///   - windowNanoseconds: at least as many nanoseconds.
    init(quota: Int, windowNanoseconds: Int64, burst: Int) {
        interval = max(1, windowNanoseconds / Int64(quota))
        self.burst = Int64(burst)
    }

    private var longestLead: Int64 { interval * (burst - 1) }

    /// Takes one request if there is one to take.
    ///
    /// - Parameters:
    ///   - arrival: the caller's theoretical arrival time; 0 for one who never came.
    ///   - now: on the same clock, above 0.
    func take(_ arrival: inout Int64, now: Int64) -> Decision {
        let lead = max(0, arrival - now)
        guard lead <= longestLead else { return decision(lead: lead, isGranted: false) }
        arrival = now + lead + interval
        return decision(lead: lead + interval, isGranted: true)
    }

    /// Gives one request back that was taken for nothing.
    func giveBack(_ arrival: inout Int64) { arrival -= interval }

    private func decision(lead: Int64, isGranted: Bool) -> Decision {
        Decision(
            isGranted: isGranted, remaining: max(0, (interval * burst - lead) / interval), nanosecondsUntilWhole: lead,
            nanosecondsUntilNext: isGranted ? 0 : lead - longestLead)
    }
}
