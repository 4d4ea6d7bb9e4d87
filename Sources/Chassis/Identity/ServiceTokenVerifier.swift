import Commerce

/// Tells which service a service token comes from. Needs nothing but the shared secret, so it never waits.
public final class ServiceTokenVerifier: Sendable {
    private let secret: ServiceSecret
    private let time: TimeSource
    private let cache = VerifiedTokenCache<String>(capacity: 1000)

    public init(secret: ServiceSecret, time: TimeSource) {
        self.secret = secret
        self.time = time
    }

    /// The answer for a token that was verified before and is still good; nil says nothing about it.
    public func cached(_ token: String) -> String? {
        guard CompactJWS.canBeToken(token) else { return nil }
        return cache.subject(of: VerifiedTokenCache<String>.fingerprint(of: token), at: time.now)
    }

    /// The name of the caller.
    public func verify(_ token: String) throws(TokenError) -> String {
        guard CompactJWS.canBeToken(token) else { throw .malformed }
        let fingerprint = VerifiedTokenCache<String>.fingerprint(of: token)
        if let name = cache.subject(of: fingerprint, at: time.now) { return name }

        let token = try CompactJWS(parsing: token)
        guard token.header.algorithm == ServiceToken.algorithm else { throw .wrongAlgorithm }
        guard token.isOfType(ServiceToken.type) else { throw .wrongType }
        guard secret.isValid(code: token.signature, for: token.signingInput) else { throw .badSignature }
        let claims = try token.claims(as: RegisteredClaims.self)
        try check(claims)
        cache.insert(claims.issuer, for: fingerprint, expiresAt: claims.expiresAt.moment, keyID: "")
        return claims.issuer
    }

    private func check(_ claims: RegisteredClaims) throws(TokenError) {
        guard claims.audience.names == [ServiceToken.audience] else { throw .wrongAudience }
        guard !claims.issuer.isEmpty, claims.subject == claims.issuer else { throw .wrongIssuer }
        try claims.checkTime(at: time.now)
        // A holder of the secret who writes longer tokens is not one of ours.
        guard claims.expiresAt.moment - claims.issuedAt.moment <= ServiceToken.lifetime else { throw .malformed }
    }
}
