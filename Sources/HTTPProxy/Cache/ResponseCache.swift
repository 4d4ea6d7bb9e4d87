public import NIOCore
import Synchronization

// The store: responses that services have said are for everybody, kept to be given again.
//
// All event loops share it, so that what one has fetched is there for all, a change is seen by all at once, and memory is not taken once for each
// loop. It is in stripes with a lock each; a key belongs to one of them, and a lock is held for a look into a table. Nothing is copied under it:
// a response never changes and is handed out by reference.
//
// Memory is counted in bytes, keys, heads and tables included, by one number for all stripes. Room is made before a response is put in, first in its own
// stripe, so what is stored never is more than the capacity. One response may take a quarter of it, and so may all that are being recorded at a time.
//
// Changes. A request that may change something and goes well removes what is stored for its address, and forgets who is fetching it: whoever began
// before the answer to the change came may have been given what was so before, and may not store it. This order is what counts:
//
//   1. a fetch is given its leave to store (`begin`) before the request goes out;
//   2. a change takes away leaves and responses (`invalidate`) when its answer has come, and before the client hears of it;
//   3. a response is put in (`finish`) only with a leave that is still there.
//
// So a client that has heard that its change is done is never given what was before it, on no event loop. The service had made the change when it
// answered, so what is fetched with a leave of after that is new. Taking leaves away when the change goes out, too, would gain nothing: every leave that is
// there then is there, or has led to a response that is, when the answer comes. What it would miss is a change whose answer never comes, because the
// connection breaks or the client goes: the exchange then takes them away when it ends. If the service makes the change later still, what was fetched
// in between is given until it is stale; nobody but the service could tell.

/// Responses that are kept, for all event loops and through every change of the configuration.
public final class ResponseCache: Sendable {
    private static let stripeCount = 16

    private final class Stripe: Sendable {
        let content = Mutex(CacheStripe())
    }

    private let stripes = (0..<ResponseCache.stripeCount).map { _ in Stripe() }
    private let limit: Atomic<Int>
    private let stored = Atomic<Int>(0)
    private let recorded = Atomic<Int>(0)
    private let lastFill = Atomic<UInt64>(0)
    private let clock: @Sendable () -> NIODeadline

    /// - Parameters:
    ///   - capacity: the bytes that it may take.
    ///   - clock: what age is counted by.
    public init(capacity: Int = 64 << 20, clock: @escaping @Sendable () -> NIODeadline = { .now() }) {
        limit = Atomic(capacity)
        self.clock = clock
    }

    /// In bytes.
    public var capacity: Int { limit.load(ordering: .relaxed) }
    /// What the responses take of it.
    public var bytes: Int { stored.load(ordering: .relaxed) }
    /// How many responses there are. Looks at every stripe: for whoever watches, not for a request.
    public var entries: Int { stripes.reduce(0) { $0 + $1.content.withLock { $0.count } } }
    /// How many are being fetched, to be stored.
    var fills: Int { stripes.reduce(0) { $0 + $1.content.withLock { $0.fillCount } } }

    var now: Int64 { Int64(clamping: clock().uptimeNanoseconds) }

    /// From now on it takes so many bytes at most.
    func resize(to capacity: Int) {
        limit.store(capacity, ordering: .relaxed)
        _ = makeRoom(from: 0)
    }

    func find(_ key: ResponseKey, now: Int64, _ variant: (_ names: [String]) -> Variant) -> CacheStripe.Found {
        let found = stripe(of: key).content.withLock { $0.find(key, now: now, variant) }
        if case .stale(let freed) = found { stored.subtract(freed, ordering: .relaxed) }
        return found
    }

    // MARK: Storing

    /// Gives leave to store what will be fetched. Every leave ends with `finish` or `abandon`.
    func begin(_ key: ResponseKey, _ target: CacheTarget) -> CacheFill {
        let fill = CacheFill(key: key, target: target, number: lastFill.add(1, ordering: .relaxed).newValue, beganAt: now)
        stripe(of: key).content.withLock { $0.begin(fill) }
        return fill
    }

    func abandon(_ fill: CacheFill) {
        stripe(of: fill.key).content.withLock { $0.abandon(fill) }
    }

    /// What has become of a response that was to be stored.
    enum Finish: Hashable {
        case stored
        /// What it is about has changed while it was fetched, or who asked later was first.
        case changed
        case noRoom
    }

    func finish(_ fill: CacheFill, with response: StoredResponse) -> Finish {
        // The key stands in two tables.
        let cost = response.cost + 2 * fill.key.bytes.count + fill.target.cost
        guard cost <= largestEntry, reserve(cost, for: fill.key) else {
            abandon(fill)
            return .noRoom
        }
        let (isStored, freed) = stripe(of: fill.key).content.withLock { $0.finish(fill, with: response, cost: cost) }
        stored.subtract(isStored ? freed : freed + cost, ordering: .relaxed)
        return isStored ? .stored : .changed
    }

    /// Something of the target has changed, or may have.
    func invalidate(_ target: CacheTarget) {
        for stripe in stripes {
            stored.subtract(stripe.content.withLock { $0.invalidate(target) }, ordering: .relaxed)
        }
    }

    // MARK: Memory

    private var largestEntry: Int { capacity / 4 }

    /// Takes bytes for a body that is being recorded; false when all recordings together would take too many.
    func beginRecording(_ bytes: Int) -> Bool {
        guard recorded.add(bytes, ordering: .relaxed).newValue > largestEntry else { return true }
        endRecording(bytes)
        return false
    }

    func endRecording(_ bytes: Int) {
        recorded.subtract(bytes, ordering: .relaxed)
    }

    /// Takes the bytes first and makes room then: whoever does the same at the same time finds them taken.
    private func reserve(_ bytes: Int, for key: ResponseKey) -> Bool {
        stored.add(bytes, ordering: .relaxed)
        guard !makeRoom(from: stripeIndex(of: key)) else { return true }
        stored.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Whether what is taken is within the limit in the end. Looks at one stripe after the other, beginning with the one that grows. What was used
    /// goes in a second round at the earliest, when there is nothing in any stripe that was not.
    private func makeRoom(from first: Int) -> Bool {
        for offset in 0..<2 * Self.stripeCount {
            let excess = bytes - capacity
            guard excess > 0 else { return true }
            let freed = stripes[(first + offset) % Self.stripeCount].content.withLock { $0.evict(excess) }
            stored.subtract(freed, ordering: .relaxed)
        }
        return bytes <= capacity
    }

    private func stripe(of key: ResponseKey) -> Stripe { stripes[stripeIndex(of: key)] }

    private func stripeIndex(of key: ResponseKey) -> Int { Int(UInt(bitPattern: key.hash) % UInt(Self.stripeCount)) }
}
