/// Who a limit holds back, in words that are the same in every proxy.
struct SharedCaller: Hashable, Sendable {
    /// The limit with its route and its figures: proxies whose configurations differ in it do not share it.
    let limit: String
    let caller: String
}

/// What one caller has taken since it was last told to the others; see `SharedRateLimits`. Times are nanoseconds.
struct Taking: Hashable, Sendable {
    let caller: SharedCaller
    /// The intervals of all requests taken, less those given back: it can be negative.
    var total: Int64 = 0
    /// The theoretical arrival time of a caller who had come for the first time with the first of these requests.
    var arrival: Int64 = 0
}

/// What callers have taken since it was last told, of as many as there is room for.
struct Takings: Sendable {
    private let capacity: Int
    private var entries: [UInt64: Taking] = [:]
    /// Requests that are told to nobody, for want of room.
    private var untold = 0

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// One request was taken.
    mutating func take(_ rate: CellRate, of hash: UInt64, now: Int64, caller: () -> SharedCaller) {
        change(hash, caller) { taking in
            taking.total += rate.interval
            taking.arrival = max(taking.arrival, now) + rate.interval
        }
    }

    /// One request was given back, which may have been told already.
    mutating func giveBack(_ rate: CellRate, of hash: UInt64, now: Int64, caller: () -> SharedCaller) {
        change(hash, caller) { taking in
            taking.total -= rate.interval
            taking.arrival -= rate.interval
        }
        // Of one that was taken just before nothing is left to tell.
        if let taking = entries[hash], taking.total == 0, taking.arrival <= now { entries[hash] = nil }
    }

    private mutating func change(_ hash: UInt64, _ caller: () -> SharedCaller, _ body: (inout Taking) -> Void) {
        guard entries.count < capacity || entries[hash] != nil else {
            untold += 1
            return
        }
        body(&entries[hash, default: Taking(caller: caller())])
    }

    /// What was taken and is not told yet.
    func total(of hash: UInt64) -> Int64 { entries[hash]?.total ?? 0 }

    /// All of it, which is hereby taken out.
    mutating func removeAll() -> (entries: [UInt64: Taking], untold: Int) {
        defer { (entries, untold) = ([:], 0) }
        return (entries, untold)
    }
}
