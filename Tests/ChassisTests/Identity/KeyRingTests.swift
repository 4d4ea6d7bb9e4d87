import Commerce
import Contracts
import Crypto
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import Chassis

/// An issuer whose keys change and that can be away.
private final class Issuer: Sendable {
    private struct Away: Error {}

    private struct State {
        var keys: [JSONWebKey]
        var isAway = false
        var fetches = 0
        var gate: AsyncStream<Void>?
    }

    private let state = Mutex(State(keys: [JSONWebKey(TokenForge.key.publicKey)]))

    var fetches: Int { state.withLock { $0.fetches } }

    func publish(_ keys: P256.Signing.PrivateKey...) {
        state.withLock { $0.keys = keys.map { JSONWebKey($0.publicKey) } }
    }

    func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    /// Answers wait until `gate` ends.
    func hold(until gate: AsyncStream<Void>) { state.withLock { $0.gate = gate } }

    var source: KeySource {
        KeySource {
            let gate = self.state.withLock { state in
                state.fetches += 1
                return state.gate
            }
            if let gate { for await _ in gate {} }
            return try self.state.withLock { state in
                if state.isAway { throw Away() }
                return JSONWebKeySet(keys: state.keys)
            }
        }
    }
}

@Suite("When public keys are fetched")
struct KeyRingTests {
    private let clock = StoppedClock()
    private let issuer = Issuer()
    private let verifier: AccessTokenVerifier

    init() {
        verifier = AccessTokenVerifier(keys: issuer.source, time: clock.time)
    }

    /// A token that is not in the cache, good for a day.
    private func freshToken(key: P256.Signing.PrivateKey = TokenForge.key, kid: String? = nil) throws -> String {
        let id = Randomness.system.hex(bytes: 8)
        let kid = kid ?? JSONWebKey(key.publicKey).id
        return try TokenForge(header: ["kid": "\"\(kid)\""], claims: ["jti": "\"\(id)\"", "exp": "\(TokenForge.now + 86_400)"]).token(
            key: key)
    }

    private func result(of token: String) async -> TokenError? {
        do {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error
        }
    }

    @Test("keys are fetched with the first token and not again for ten minutes")
    func fetchedOnce() async throws {
        #expect(issuer.fetches == 0)
        for _ in 0..<10 { #expect(await result(of: try freshToken()) == nil) }
        clock.advance(by: .seconds(599))
        #expect(await result(of: try freshToken()) == nil)
        #expect(issuer.fetches == 1)
        clock.advance(by: .seconds(1))
        #expect(await result(of: try freshToken()) == nil)
        #expect(issuer.fetches == 2)
    }

    @Test("a hundred requests at once lead to one fetch, and all get their answer")
    func oneFetchAtATime() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        issuer.hold(until: gate)
        let tokens = try (0..<100).map { _ in try freshToken() }
        await withTaskGroup(of: TokenError?.self) { group in
            for token in tokens { group.addTask { await result(of: token) } }
            opener.finish()
            for await error in group { #expect(error == nil) }
        }
        #expect(issuer.fetches == 1)
    }

    @Test("a new key is noticed at its first token, also right after the start")
    func rotation() async throws {
        #expect(await result(of: try freshToken()) == nil)
        issuer.publish(TokenForge.otherKey, TokenForge.key)
        #expect(await result(of: try freshToken(key: TokenForge.otherKey)) == nil)
        #expect(await result(of: try freshToken()) == nil)
        #expect(issuer.fetches == 2)
    }

    @Test("invented key ids lead to one fetch in 30 seconds, whatever their number, and hold up nobody else")
    func unknownKeyCooldown() async throws {
        #expect(await result(of: try freshToken()) == nil)
        for number in 0..<50 {
            #expect(await result(of: try freshToken(kid: "invented-\(number)")) == .unknownKey)
            #expect(await result(of: try freshToken()) == nil)
        }
        #expect(issuer.fetches == 2)
        clock.advance(by: .milliseconds(29_999))
        #expect(await result(of: try freshToken(kid: "invented")) == .unknownKey)
        #expect(issuer.fetches == 2)
        clock.advance(by: .milliseconds(1))
        #expect(await result(of: try freshToken(kid: "invented")) == .unknownKey)
        #expect(issuer.fetches == 3)
    }

    @Test("without the user service old keys stay good, and what they do not know is a 503, not a 401")
    func outage() async throws {
        let cached = try freshToken()
        #expect(await result(of: cached) == nil)
        issuer.setAway(true)
        clock.advance(by: .seconds(3600))
        #expect(await result(of: cached) == nil)
        #expect(await result(of: try freshToken()) == nil)
        #expect(await result(of: try freshToken(key: TokenForge.otherKey)) == .keysUnavailable)
    }

    @Test("while the user service is away it is asked after 1, 2, 4 … 30 seconds, and its return is noticed")
    func failureBackoff() async throws {
        issuer.setAway(true)
        #expect(await result(of: try freshToken()) == .keysUnavailable)
        for (number, pause) in [1, 2, 4, 8, 16, 30, 30].enumerated() {
            clock.advance(by: .milliseconds(pause * 1000 - 1))
            #expect(await result(of: try freshToken()) == .keysUnavailable)
            #expect(issuer.fetches == number + 1)
            clock.advance(by: .milliseconds(1))
            #expect(await result(of: try freshToken()) == .keysUnavailable)
            #expect(issuer.fetches == number + 2)
        }
        issuer.setAway(false)
        clock.advance(by: .seconds(30))
        #expect(await result(of: try freshToken()) == nil)
    }

    @Test("who wants them fresh has the keys before any token, asks until they are there, and renews them before they are old")
    func inAdvance() async throws {
        struct Away: Error {}
        let clock = JumpingClock()
        let asked = Mutex<[Duration]>([])
        let (enough, finish) = AsyncStream<Void>.makeStream()
        let source = KeySource {
            let count = asked.withLock { asked in
                asked.append(clock.elapsed)
                return asked.count
            }
            if count == 7 { finish.finish() }
            if count <= 3 { throw Away() }
            return TokenForge.keySet
        }
        let verifier = AccessTokenVerifier(keys: source, time: clock.time)
        let refreshing = Task { await verifier.keepKeysFresh() }
        for await _ in enough {}
        refreshing.cancel()
        await refreshing.value
        #expect(asked.withLock { Array($0.prefix(7)) } == [0, 1, 3, 7, 487, 967, 1447].map { .seconds($0) })
    }

    @Test("that the user service was not there yet when a shop began to start holds up no token a moment later", .timeLimit(.minutes(1)))
    func startedTooEarly() async throws {
        issuer.setAway(true)
        let refreshing = Task { await verifier.keepKeysFresh() }
        // It has failed and pauses; the clock stands still from here on.
        await clock.whenSleeping(1)
        issuer.setAway(false)
        #expect(await result(of: try freshToken()) == nil)
        refreshing.cancel()
        await refreshing.value
    }

    @Test("a key that is withdrawn takes its tokens with it, also those in the cache")
    func withdrawal() async throws {
        let old = try freshToken()
        #expect(await result(of: old) == nil)
        issuer.publish(TokenForge.otherKey)
        #expect(verifier.cached(old) != nil)
        clock.advance(by: .seconds(600))
        #expect(await result(of: try freshToken(key: TokenForge.otherKey)) == nil)
        #expect(verifier.cached(old) == nil)
        #expect(await result(of: old) == .unknownKey)
    }

    @Test("an empty key set is a failure: the known keys stay")
    func emptySet() async throws {
        #expect(await result(of: try freshToken()) == nil)
        issuer.publish()
        clock.advance(by: .seconds(600))
        #expect(await result(of: try freshToken()) == nil)
        #expect(issuer.fetches == 2)
    }

    @Test("a request that is cancelled does not take the fetch with it that others wait for")
    func cancellation() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        issuer.hold(until: gate)
        let tokens = try [freshToken(), freshToken()]
        let first = Task { await result(of: tokens[0]) }
        let second = Task { await result(of: tokens[1]) }
        first.cancel()
        opener.finish()
        #expect(await second.value == nil)
        #expect(await first.value == nil)
        #expect(issuer.fetches == 1)
    }

    @Test("the keys come from where the user service publishes them")
    func wellKnownAddress() async throws {
        let keys = try JSONEncoder().encode(TokenForge.keySet)
        let transport = HTTPTransport { request, _ throws(TransportError) in
            guard request.url == "http://users/.well-known/jwks.json" else { throw .notConnected }
            return InboundResponse(status: .ok, body: keys)
        }
        let client = ServiceClient(
            to: .users, baseURL: "http://users", transport: transport, credentials: nil, time: clock.time, randomness: .system)
        let verifier = AccessTokenVerifier(keys: .service(client), time: clock.time)
        #expect(try await verifier.verify(freshToken()).id.rawValue == 42)
    }
}
