/// Tells whom an access token speaks for, by the issuer's public keys and without asking anyone about the token.
///
/// It accepts exactly what RFC 8725 advises: algorithms from a fixed list, the `typ` of access tokens, our issuer, our audience, the
/// time, and a signature by the published key that `kid` names, with the algorithm of that key. A token that fails a cheap check
/// costs neither a fetch of keys nor a signature.
public final class AccessTokenVerifier: Sendable {
    private static let algorithms = ["ES256", "EdDSA"]

    private let issuer: String
    private let audience: String
    private let time: TimeSource
    private let keys: KeyRing
    private let cache: VerifiedTokenCache<UserIdentity>

    /// - Parameter cacheCapacity: how many verified tokens are remembered.
    public init(
        issuer: String = AccessTokenClaims.standardIssuer, audience: String = AccessTokenClaims.standardAudience, keys: KeySource,
        time: TimeSource, cacheCapacity: Int = 10_000
    ) {
        self.issuer = issuer
        self.audience = audience
        self.time = time
        let cache = VerifiedTokenCache<UserIdentity>(capacity: cacheCapacity)
        self.cache = cache
        self.keys = KeyRing(source: keys, time: time) { cache.keepOnly(keyIDs: $0) }
    }

    /// The answer for a token that was verified before and is still good; nil says nothing about it. Never waits: for event loops.
    public func cached(_ token: String) -> UserIdentity? {
        guard CompactJWS.canBeToken(token) else { return nil }
        return cache.subject(of: VerifiedTokenCache<UserIdentity>.fingerprint(of: token), at: time.now)
    }

    /// Whom `token` speaks for. Waits only when keys must be fetched.
    ///
    /// - Throws: `keysUnavailable` if the token cannot be judged now; any other `TokenError` if it is no good.
    public func verify(_ token: String) async throws(TokenError) -> UserIdentity {
        guard CompactJWS.canBeToken(token) else { throw .malformed }
        let fingerprint = VerifiedTokenCache<UserIdentity>.fingerprint(of: token)
        if let user = cache.subject(of: fingerprint, at: time.now) { return user }
        return try await verify(CompactJWS(parsing: token), fingerprint: fingerprint)
    }

    private func verify(_ token: CompactJWS, fingerprint: VerifiedTokenCache<UserIdentity>.Fingerprint) async throws(TokenError)
        -> UserIdentity
    {
        guard Self.algorithms.contains(token.header.algorithm) else { throw .wrongAlgorithm }
        guard token.isOfType(AccessTokenClaims.type) else { throw .wrongType }
        guard let keyID = token.header.keyID else { throw .unknownKey }
        let claims = try token.claims(as: AccessTokenClaims.self)
        guard claims.issuer == issuer else { throw .wrongIssuer }
        guard claims.audiences.contains(audience) else { throw .wrongAudience }
        try claims.registered.checkTime(at: time.now)

        let key = try await keys.key(keyID)
        guard key.algorithm == token.header.algorithm else { throw .wrongAlgorithm }
        guard key.isValidSignature(token.signature, for: token.signingInput) else { throw .badSignature }
        let user = UserIdentity(id: claims.subject, role: claims.role)
        cache.insert(user, for: fingerprint, expiresAt: claims.expiresAt, keyID: keyID)
        return user
    }

    /// Has the keys before they are needed, until the task is cancelled.
    public func keepKeysFresh() async { await keys.keepFresh() }

    /// How many tokens are remembered.
    var cachedTokens: Int { cache.count }
}
