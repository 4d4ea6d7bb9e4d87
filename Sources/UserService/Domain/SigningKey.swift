import Commerce
import Crypto

/// A key that signs access tokens: from `activeFrom` until a newer one becomes active.
struct SigningKey: Sendable {
    let id: Int64
    let privateKey: P256.Signing.PrivateKey
    let createdAt: Timestamp
    let activeFrom: Timestamp
}

/// When keys are made, sign, and go.
///
/// A new key is published `lead` before it signs: whoever verifies tokens keeps a key set for 10 minutes at most, so by then everybody
/// knows the key. An old key stays published until the last token it can have signed has expired, and `grace` more, for replicas whose
/// copy of the keys is not quite new.
struct KeySchedule: Sendable {
    /// How long after one key the next is made.
    var rotation: Duration
    var tokenLifetime: Duration
    var lead: Duration = .seconds(15 * 60)
    var grace: Duration = .seconds(5 * 60)

    /// The newest of the active keys. Should a clock that was set back leave none active, the oldest: everybody knows that one.
    func signing(_ keys: [SigningKey], at now: Timestamp) -> SigningKey? {
        keys.filter { $0.activeFrom <= now }.max(by: Self.isOlder) ?? keys.min(by: Self.isOlder)
    }

    /// The keys that nobody needs any more.
    func withdrawn(_ keys: [SigningKey], at now: Timestamp) -> [SigningKey] {
        let ordered = keys.sorted(by: Self.isOlder)
        return zip(ordered, ordered.dropFirst()).filter { _, successor in successor.activeFrom + tokenLifetime + grace < now }.map(\.0)
    }

    /// When a key that is made now starts to sign; nil when none is due. The first one starts at once: there is no other.
    func activationOfNextKey(after keys: [SigningKey], at now: Timestamp) -> Timestamp? {
        guard let newest = keys.max(by: Self.isOlder) else { return now }
        return newest.createdAt + rotation <= now ? now + lead : nil
    }

    private static func isOlder(_ left: SigningKey, _ right: SigningKey) -> Bool {
        (left.activeFrom, left.id) < (right.activeFrom, right.id)
    }
}
