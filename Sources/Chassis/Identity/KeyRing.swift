import Logging
import Synchronization

/// The public keys of the issuer as this process knows them, and the rules of when to ask for them again.
///
/// - **In advance.** Who runs `keepFresh` has the keys before the first token comes and renews them before they are old, so that no request
///   waits for them, and a user service that goes away later is not missed.
/// - **Age.** Keys are used for 10 minutes. The first verification after that fetches them anew; those that come meanwhile use the
///   old ones, and so does everybody when the issuer cannot be reached: an outage of the user service signs nobody out.
/// - **Unknown `kid`.** The issuer may have changed its key, so it is asked once. Anyone can invent a `kid`, so it is asked for this
///   reason at most every 30 s; until then an unknown `kid` is refused as it is. The fetches for other reasons do not start these 30 s,
///   so that a rotation shortly after a start is noticed at once.
/// - **Failure.** After a failed fetch the next one waits 1 s, then 2, 4 … up to 30. A token whose key we do not have is then
///   neither good nor bad: `keysUnavailable`.
/// - **One at a time.** However many requests wait, one fetch is under way. It runs in a task of its own, which the ring holds: it
///   ends neither with the request that happened to start it nor by that request's deadline.
final class KeyRing: Sendable {
    static let maximumAge: Duration = .seconds(10 * 60)
    /// When `keepFresh` renews them: early enough for some failures.
    static let renewalAge: Duration = .seconds(8 * 60)
    static let unknownKeyCooldown: Duration = .seconds(30)
    static let firstFailureCooldown: Duration = .seconds(1)
    static let maximumFailureCooldown: Duration = .seconds(30)

    private struct State {
        var keys: [String: JSONWebKey] = [:]
        /// When the keys came, on the monotonic clock; nil before the first time.
        var fetchedAt: Duration?
        var unknownKeyFetchAllowedAt: Duration = .zero
        var failureCooldown: Duration = .zero
        var fetchAllowedAt: Duration = .zero
        var lastFetchFailed = false
        var underWay: Task<Void, Never>?
    }

    private enum Step {
        case use(JSONWebKey)
        case wait(Task<Void, Never>)
        case refuse(TokenError)
    }

    private let source: KeySource
    private let time: TimeSource
    private let keysChanged: @Sendable (Set<String>) -> Void
    private let logger = Logger(label: "chassis.identity")
    private let state = Mutex(State())

    /// - Parameter keysChanged: hears the ids of all keys after each successful fetch.
    init(source: KeySource, time: TimeSource, keysChanged: @escaping @Sendable (Set<String>) -> Void) {
        self.source = source
        self.time = time
        self.keysChanged = keysChanged
    }

    /// The key with this id, after a fetch if the rules above ask for one.
    ///
    /// - Throws: `unknownKey` or `keysUnavailable`.
    func key(_ id: String) async throws(TokenError) -> JSONWebKey {
        switch nextStep(for: id) {
        case .use(let key): return key
        case .refuse(let error): throw error
        case .wait(let fetch):
            await fetch.value
            // One that was made in advance, and failed, may have begun before the user service was there.
            if mayAskAgain(for: id), case .wait(let again) = nextStep(for: id) { await again.value }
            return try keyAfterFetch(id)
        }
    }

    /// Fetches the keys at once, and again before they are old, until the task is cancelled.
    ///
    /// Its failures have a pause of their own and hold up nobody who comes with a token: when a whole shop starts, the first try comes too early,
    /// and a moment later the user service is there.
    func keepFresh() async {
        var pause = Duration.zero
        while !Task.isCancelled {
            if let fetch = startRenewal() { await fetch.value }
            let now = time.monotonic
            let renewal = state.withLock { $0.fetchedAt.map { $0 + Self.renewalAge } } ?? now
            pause = renewal > now ? .zero : min(max(pause * 2, Self.firstFailureCooldown), Self.maximumFailureCooldown)
            // Cancelled: the loop ends.
            try? await time.sleep(for: renewal > now ? renewal - now : pause)
        }
    }

    /// Nil when the keys are young.
    private func startRenewal() -> Task<Void, Never>? {
        let now = time.monotonic
        return state.withLock { state in
            if let underWay = state.underWay { return underWay }
            if let fetchedAt = state.fetchedAt, now - fetchedAt < Self.renewalAge { return nil }
            let fetch = ServiceExecutor.detachedTask { await self.fetch(inAdvance: true) }
            state.underWay = fetch
            return fetch
        }
    }

    private func nextStep(for id: String) -> Step {
        let now = time.monotonic
        return state.withLock { state in
            let known = state.keys[id]
            let isFresh = state.fetchedAt.map { now - $0 < Self.maximumAge } ?? false
            if let known, isFresh || state.underWay != nil || now < state.fetchAllowedAt { return .use(known) }
            if let underWay = state.underWay { return .wait(underWay) }
            if now < state.fetchAllowedAt { return .refuse(.keysUnavailable) }
            if isFresh {
                guard now >= state.unknownKeyFetchAllowedAt else { return .refuse(.unknownKey) }
                state.unknownKeyFetchAllowedAt = now + Self.unknownKeyCooldown
            }
            // Detached: the caller's deadline, request id and trace are not this fetch's, for which others wait too.
            let fetch = ServiceExecutor.detachedTask { await self.fetch(inAdvance: false) }
            state.underWay = fetch
            return .wait(fetch)
        }
    }

    private func mayAskAgain(for id: String) -> Bool {
        let now = time.monotonic
        return state.withLock { $0.keys[id] == nil && $0.lastFetchFailed && now >= $0.fetchAllowedAt }
    }

    private func keyAfterFetch(_ id: String) throws(TokenError) -> JSONWebKey {
        let (key, failed) = state.withLock { ($0.keys[id], $0.lastFetchFailed) }
        guard let key else { throw failed ? .keysUnavailable : .unknownKey }
        return key
    }

    /// - Parameter inAdvance: no token waits for it.
    private func fetch(inAdvance: Bool) async {
        let keys: [String: JSONWebKey]
        do {
            keys = Dictionary(try await source.fetch().keys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        } catch {
            // At a start the first try in advance may well come too early.
            let isEarly = inAdvance && state.withLock { $0.fetchedAt == nil }
            logger.log(
                level: isEarly ? .info : .warning, "The public keys for access tokens could not be fetched", metadata: ["error": "\(error)"]
            )
            keys = [:]
        }
        // An issuer without a usable key is one that we failed to read.
        keys.isEmpty ? recordFailure(inAdvance: inAdvance) : replaceKeys(keys)
    }

    private func recordFailure(inAdvance: Bool) {
        let now = time.monotonic
        state.withLock { state in
            state.lastFetchFailed = true
            state.underWay = nil
            guard !inAdvance else { return }
            state.failureCooldown = min(max(state.failureCooldown * 2, Self.firstFailureCooldown), Self.maximumFailureCooldown)
            state.fetchAllowedAt = now + state.failureCooldown
        }
    }

    private func replaceKeys(_ keys: [String: JSONWebKey]) {
        let now = time.monotonic
        keysChanged(Set(keys.keys))
        state.withLock { state in
            state.keys = keys
            state.fetchedAt = now
            state.failureCooldown = .zero
            state.fetchAllowedAt = .zero
            state.lastFetchFailed = false
            state.underWay = nil
        }
    }
}
