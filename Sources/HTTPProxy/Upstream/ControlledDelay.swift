import NIOCore

// How long anybody may wait in a line: the controlled delay of "Controlling Queue Delay" (Nichols and Jacobson, ACM Queue 2012) as
// "Fail at Scale" (Maurer, ACM Queue 2015) applies it to servers.
//
// Under overload a line is where latency would grow without bound. Bounding its length alone does not help: a long line only makes everybody
// late. So it is bounded in time, by a rule with two figures. A burst may wait for `maximumWait`: it will be served. A line that has
// not been empty for that long is no burst but more than the service can do, and letting it be long serves nobody better; from then on nobody
// waits for longer than `overloadedWait`. Then those who are served are served about as soon as in a quiet hour, and the others are told at
// once to come back later.
//
// The overload is over when nobody has had to wait for `maximumWait`. It is not over with the first moment of an empty line: clients that were
// refused together come back together, and would each time pass for a new burst.
//
// The same patience holds for all, so in a first-in first-out line the head is always the first to go, and one timer does.

struct ControlledDelay {
    let maximumWait: TimeAmount
    let overloadedWait: TimeAmount
    /// Since when there has always been somebody in line.
    private var crowdedSince: NIODeadline?
    /// Until when the last overload lasts if nobody has to wait any more.
    private var overloadedUntil = NIODeadline.distantPast

    init(maximumWait: TimeAmount, overloadedWait: TimeAmount) {
        self.maximumWait = maximumWait
        self.overloadedWait = overloadedWait
    }

    /// Takes notice of the line. To be called whenever it has changed.
    mutating func observe(isEmpty: Bool, now: NIODeadline) {
        if isOverloaded(now), !isEmpty || crowdedSince != nil { overloadedUntil = now + maximumWait }
        if isEmpty {
            crowdedSince = nil
        } else if crowdedSince == nil {
            crowdedSince = now
        }
    }

    /// How long anybody may wait now.
    func patience(now: NIODeadline) -> TimeAmount {
        isOverloaded(now) ? overloadedWait : maximumWait
    }

    /// When somebody who came at `arrival` has to go if nothing changes: by the patience of now, or by that of the overload which begins
    /// should the line not become empty. May lie in the past.
    func deadline(for arrival: NIODeadline, now: NIODeadline) -> NIODeadline {
        if isOverloaded(now) { return arrival + overloadedWait }
        guard let crowdedSince else { return arrival + maximumWait }
        return min(arrival + maximumWait, max(arrival + overloadedWait, crowdedSince + maximumWait))
    }

    private func isOverloaded(_ now: NIODeadline) -> Bool {
        now < overloadedUntil || crowdedSince.map { $0 + maximumWait <= now } ?? false
    }
}
