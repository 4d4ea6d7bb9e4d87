import Chassis
import Synchronization

// How guessing of passwords is held up.
//
// Failures are counted for the account that was named (whether it exists or not: else the throttle would tell) and for the address that
// asked. The count is a leaky bucket in the form of GCRA (the generic cell rate algorithm, ITU-T I.371): one moment per key, `emptyAt`, at
// which everything will be forgiven. A failure moves it on by one interval; the number of failures that still count is the distance from
// now to it, in intervals. So nothing runs to forget, and an entry whose moment has passed says nothing and can go.
//
//   failures that count    an attempt is
//   fewer than `slowFrom`  let in
//   from `slowFrom`        let in after a delay that doubles with each failure, up to 4 s
//   from `refuseFrom`      refused with 429, before the password is looked at
//
// An attempt counts as failed from the moment it is let in, and is taken back when it succeeds: a hundred attempts sent at once are counted
// one by one, not all let in before the first has failed. A refused attempt does not count: whoever waits as told gets in.
//
// Why in memory and not in the database: an attempt would cost a durable write before its password is even looked at, so that guessing
// would load the database that everybody needs. What is lost is small: a restart forgets (a guesser gains `refuseFrom` tries), and n
// replicas let in n times as much. Memory is bounded by `capacity` entries; when it is full, those that would be forgiven first go, which
// a guesser could use only by paying for tens of thousands of hashes.
//
// A correct password is refused too while its account is held up. An owner who is kept out by a stranger's guesses gets in by a password
// reset, which clears the account's count.

/// Counts failed logins and decides who may try.
final class LoginThrottle: Sendable {
    struct Limit: Sendable {
        /// From how many failures on an attempt is delayed.
        var slowFrom: Int
        /// From how many failures on an attempt is refused.
        var refuseFrom: Int
        /// How long until one failure is forgiven.
        var forgivenEvery: Duration

        /// 10 guesses, then one every 90 s: 970 a day at most.
        static let account = Limit(slowFrom: 3, refuseFrom: 10, forgivenEvery: .seconds(90))
        /// Many people can share an address.
        static let address = Limit(slowFrom: 20, refuseFrom: 50, forgivenEvery: .seconds(10))
    }

    enum Verdict: Sendable, Hashable {
        /// Go on, after `delay`.
        case admitted(delay: Duration)
        case refused(retryAfter: Duration)
    }

    /// Who tries: the account as it was named, and the address where that is known.
    struct Attempt: Sendable, Hashable {
        let account: String
        let address: ClientAddress?
    }

    private enum Key: Hashable {
        case account(String)
        case address(ClientAddress)
    }

    static let longestDelay: Duration = .seconds(4)

    private let account: Limit
    private let address: Limit
    private let capacity: Int
    private let time: TimeSource
    /// When everything is forgiven, on the monotonic clock.
    private let emptyAt = Mutex<[Key: Duration]>([:])

    init(account: Limit = .account, address: Limit = .address, capacity: Int = 50_000, time: TimeSource) {
        precondition(capacity >= 2)
        self.account = account
        self.address = address
        self.capacity = capacity
        self.time = time
    }

    /// Lets the attempt in and counts it as failed, or refuses it.
    func admit(_ attempt: Attempt) -> Verdict {
        let now = time.monotonic
        return emptyAt.withLock { entries in
            let keys = keys(of: attempt)
            let waits = keys.compactMap { key, limit in Self.wait(entries[key], now, limit) }
            if let longest = waits.max() { return .refused(retryAfter: longest) }
            let delay = keys.map { key, limit in Self.delay(failures: Self.failures(entries[key], now, limit), limit) }.max() ?? .zero
            makeRoom(in: &entries, for: keys.count, now)
            for (key, limit) in keys { entries[key] = max(entries[key] ?? now, now) + limit.forgivenEvery }
            return .admitted(delay: delay)
        }
    }

    /// The password was right: the account starts afresh, and the address has one failure less.
    func succeeded(_ attempt: Attempt) {
        forget(account: attempt.account)
        guard let address = attempt.address else { return }
        takeBack(.address(address), self.address)
    }

    /// The attempt came to no judgement: it never was.
    func withdraw(_ attempt: Attempt) {
        for (key, limit) in keys(of: attempt) { takeBack(key, limit) }
    }

    func forget(account: String) {
        emptyAt.withLock { $0[.account(account)] = nil }
    }

    private func takeBack(_ key: Key, _ limit: Limit) {
        emptyAt.withLock { entries in
            guard let moment = entries[key] else { return }
            entries[key] = moment - limit.forgivenEvery
        }
    }

    private func keys(of attempt: Attempt) -> [(Key, Limit)] {
        [(.account(attempt.account), account)] + (attempt.address.map { [(.address($0), address)] } ?? [])
    }

    /// How many failures still count: each stays for one interval after those before it.
    private static func failures(_ emptyAt: Duration?, _ now: Duration, _ limit: Limit) -> Int {
        guard let emptyAt, emptyAt > now else { return 0 }
        return Int((((emptyAt - now) / limit.forgivenEvery)).rounded(.up))
    }

    /// Nil when an attempt may be let in.
    private static func wait(_ emptyAt: Duration?, _ now: Duration, _ limit: Limit) -> Duration? {
        guard let emptyAt, failures(emptyAt, now, limit) >= limit.refuseFrom else { return nil }
        return emptyAt - now - limit.forgivenEvery * (limit.refuseFrom - 1)
    }

    private static func delay(failures: Int, _ limit: Limit) -> Duration {
        guard failures >= limit.slowFrom else { return .zero }
        let doublings = min(failures - limit.slowFrom, 10)
        return min(.milliseconds(250) * (1 << doublings), longestDelay)
    }

    /// Drops what is forgiven, then, should that not do, the quarter that would be forgiven first.
    private func makeRoom(in entries: inout [Key: Duration], for count: Int, _ now: Duration) {
        guard entries.count + count > capacity else { return }
        entries = entries.filter { $0.value > now }
        guard entries.count + count > capacity else { return }
        for (key, _) in entries.sorted(by: { $0.value < $1.value }).prefix(max(count, capacity / 4)) { entries[key] = nil }
    }

    /// How many keys are remembered: for tests of the bound.
    var count: Int { emptyAt.withLock { $0.count } }
}
