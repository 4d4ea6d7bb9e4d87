import Chassis
import Hummingbird
import Synchronization

// Responses about the catalog, kept as they went out.
//
// Most of what a shop is asked is the same few pages, again and again, while they do not change. A kept response is found by the request's
// target exactly as it came (path and query, unread), so that a hit neither parses a query nor asks the database nor encodes anything.
// Two spellings of one query are two entries; that costs a little memory and no correctness.
//
// When a response is valid. It is kept with the `CatalogVersion` from before its data was read. Every commit of this process that
// changes details or stock advances that version before its caller is told; from then on nothing older is given out. So who changes
// something and then looks sees the change. All entries share one version: when it has moved, the whole cache is dropped, for what is
// sold changes many pages and finding out which costs more than reading them again.
//
// When others write too (replicas on one Postgres), their commits do not advance the version of this process. Then entries also have a
// maximum age, 1 s, which is how far a page may lag behind them. What a page promises is checked again when an order reserves.
//
// One load for many. Requests for one target that is not kept are answered by one of them: the first loads, the others wait for it. They
// join only a load that began at the version they found, or they might be told of a time before their own change. When the one that
// loads is cancelled (its client went away), the others begin anew, a bounded number of times.
//
// Bounds. Entries live in two generations. New ones and those that are used go into the recent one; when that is full, in number or in
// bytes, it becomes the older one and the older one is dropped. So what is not asked for leaves after at most two fillings, and
// nobody fills the memory by asking for things that differ.

final class CatalogCache: Sendable {
    struct Limits: Sendable {
        /// Entries of one generation.
        var entries = 512
        /// Bytes of the bodies of one generation.
        var bytes = 4 << 20
        /// How long an entry may be given out; nil when this process sees every change.
        var maximumAge: Duration?
    }

    fileprivate struct Entry {
        let response: Response
        /// On the monotonic clock.
        let loadedAt: Duration
    }

    fileprivate struct LoadKey: Hashable {
        let target: String
        let version: UInt64
    }

    fileprivate enum LoadResult {
        case loaded(Response)
        case failed(any Error)
        /// Who was loading went away.
        case abandoned
    }

    fileprivate struct State {
        /// What all entries were read at.
        var version: UInt64 = 0
        var recent: [String: Entry] = [:]
        var recentBytes = 0
        var older: [String: Entry] = [:]
        var loads: [LoadKey: [CheckedContinuation<LoadResult, Never>]] = [:]
    }

    private enum Finding {
        case kept(Response)
        case load(LoadKey)
        case join(LoadKey)
    }

    /// How often a request joins the load of another before it loads by itself.
    private static let mostJoins = 3

    private let state = Mutex(State())
    private let version: CatalogVersion
    private let limits: Limits
    private let time: TimeSource

    init(version: CatalogVersion, time: TimeSource, limits: Limits = Limits()) {
        self.version = version
        self.time = time
        self.limits = limits
    }

    /// The kept response for `target`, or the one that `load` makes, which is kept if it succeeds.
    ///
    /// - Throws: what `load` throws; that is not kept.
    func response(for target: String, load: () async throws -> Response) async throws -> Response {
        for _ in 0..<Self.mostJoins {
            switch find(target) {
            case .kept(let response):
                return response
            case .load(let key):
                return try await lead(key, load)
            case .join(let key):
                switch await join(key) {
                case .loaded(let response): return response
                case .failed(let error): throw error
                case .abandoned: continue
                }
            }
        }
        return try await load()
    }

    private func find(_ target: String) -> Finding {
        let now = limits.maximumAge == nil ? .zero : time.monotonic
        return state.withLock { state in
            // Read under the lock, so that the cache's version never goes back.
            let current = version.current
            if state.version != current { state.start(over: current) }
            if let entry = state.use(target, limits), isFresh(entry, now) { return .kept(entry.response) }
            let key = LoadKey(target: target, version: current)
            if state.loads[key] != nil { return .join(key) }
            state.loads[key] = []
            return .load(key)
        }
    }

    private func isFresh(_ entry: Entry, _ now: Duration) -> Bool {
        guard let maximumAge = limits.maximumAge else { return true }
        return now - entry.loadedAt < maximumAge
    }

    // MARK: Loading

    private func lead(_ key: LoadKey, _ load: () async throws -> Response) async throws -> Response {
        let began = time.monotonic
        do {
            let response = try await load()
            end(key, .loaded(response), keeping: Entry(response: response, loadedAt: began))
            return response
        } catch {
            end(key, error is CancellationError ? .abandoned : .failed(error), keeping: nil)
            throw error
        }
    }

    private func end(_ key: LoadKey, _ result: LoadResult, keeping entry: Entry?) {
        let waiting = state.withLock { state in
            // An entry from before the version that the cache has by now is not worth keeping.
            if let entry, state.version == key.version { state.keep(entry, key.target, limits) }
            return state.loads.removeValue(forKey: key) ?? []
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }

    private func join(_ key: LoadKey) async -> LoadResult {
        await withCheckedContinuation { continuation in
            let isUnderWay = state.withLock { state in
                guard state.loads[key] != nil else { return false }
                state.loads[key]?.append(continuation)
                return true
            }
            if !isUnderWay { continuation.resume(returning: .abandoned) }
        }
    }
}

extension CatalogCache.State {
    fileprivate mutating func start(over version: UInt64) {
        self.version = version
        recent.removeAll(keepingCapacity: true)
        recentBytes = 0
        older = [:]
    }

    /// The entry for `target`, which is of the recent generation from now on.
    fileprivate mutating func use(_ target: String, _ limits: CatalogCache.Limits) -> CatalogCache.Entry? {
        if let entry = recent[target] { return entry }
        guard let entry = older[target] else { return nil }
        keep(entry, target, limits)
        return entry
    }

    /// Puts an entry into the recent generation.
    fileprivate mutating func keep(_ entry: CatalogCache.Entry, _ target: String, _ limits: CatalogCache.Limits) {
        let bytes = entry.response.body.contentLength ?? .max
        // One response may not push out all others.
        guard bytes <= limits.bytes / 4 else { return }
        guard let replaced = recent.updateValue(entry, forKey: target) else {
            older[target] = nil
            recentBytes += bytes
            if recent.count >= limits.entries || recentBytes >= limits.bytes { age() }
            return
        }
        recentBytes += bytes - (replaced.response.body.contentLength ?? 0)
    }

    private mutating func age() {
        older = recent
        recent = [:]
        recentBytes = 0
    }
}
