import Chassis
import Commerce
import Crypto
import Foundation
import Synchronization

/// The keys that sign access tokens, as this process knows them.
///
/// They live in the database, which all replicas share; a copy is kept for a minute, far less than the time between a key's publication
/// and its first signature. When a key is made and when it goes is `KeySchedule`'s to say.
final class SigningKeyRing: Sendable {
    static let copyLifetime: Duration = .seconds(60)

    private struct Copy {
        let keys: [SigningKey]
        let readAt: Duration
    }

    private let store: UserStore
    private let schedule: KeySchedule
    private let issuer: String
    private let audience: String
    private let time: TimeSource
    private let randomness: Randomness
    private let copy = Mutex<Copy?>(nil)

    init(store: UserStore, schedule: KeySchedule, issuer: String, audience: String, time: TimeSource, randomness: Randomness) {
        self.store = store
        self.schedule = schedule
        self.issuer = issuer
        self.audience = audience
        self.time = time
        self.randomness = randomness
    }

    /// What signs tokens now.
    func signer() async throws -> AccessTokenSigner {
        var keys = try await keys()
        if keys.isEmpty { keys = try await rotate() }
        guard let key = schedule.signing(keys, at: time.now) else { throw NoSigningKey() }
        return AccessTokenSigner(
            privateKey: key.privateKey, issuer: issuer, audience: audience, lifetime: schedule.tokenLifetime, time: time,
            randomness: randomness)
    }

    /// All keys that a token in circulation may be signed with, and the next one if it is made already.
    func published() async throws -> JSONWebKeySet {
        JSONWebKeySet(keys: try await keys().map { JSONWebKey($0.privateKey.publicKey) })
    }

    /// Makes the next key if it is due, and lets go of those that nobody needs.
    @discardableResult
    func rotate() async throws -> [SigningKey] {
        let keys = try await store.rotateSigningKeys(schedule, next: try newKey(), at: time.now)
        remember(keys)
        return keys
    }

    private func keys() async throws -> [SigningKey] {
        let known = copy.withLock { $0 }
        if let known, time.monotonic - known.readAt < Self.copyLifetime { return known.keys }
        let keys = try await store.signingKeys()
        remember(keys)
        return keys
    }

    private func remember(_ keys: [SigningKey]) {
        let now = time.monotonic
        copy.withLock { $0 = Copy(keys: keys, readAt: now) }
    }

    /// A P-256 key out of our own random numbers. All but one of 2³² strings of 32 bytes are a key.
    private func newKey() throws -> P256.Signing.PrivateKey {
        for _ in 0..<8 {
            if let key = try? P256.Signing.PrivateKey(rawRepresentation: Data(randomness.bytes(32))) { return key }
        }
        throw NoSigningKey()
    }

    /// The generator gives nothing that could be a key: a broken machine.
    struct NoSigningKey: Error {}
}
