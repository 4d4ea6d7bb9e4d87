import Commerce
public import Crypto
import Foundation

/// Issues access tokens, signed with ES256. Only the user service has one.
public struct AccessTokenSigner: Sendable {
    private let privateKey: P256.Signing.PrivateKey
    private let issuer: String
    private let audience: String
    private let time: TimeSource
    private let randomness: Randomness

    /// How long a token is good: what a login tells as `expiresIn`.
    public let lifetime: Duration

    /// The key that verifies what this signs, for the key set.
    public let publicKey: JSONWebKey

    public init(
        privateKey: P256.Signing.PrivateKey, issuer: String = AccessTokenClaims.standardIssuer,
        audience: String = AccessTokenClaims.standardAudience, lifetime: Duration = AccessTokenClaims.standardLifetime, time: TimeSource,
        randomness: Randomness
    ) {
        self.privateKey = privateKey
        self.publicKey = JSONWebKey(privateKey.publicKey)
        self.issuer = issuer
        self.audience = audience
        self.lifetime = lifetime
        self.time = time
        self.randomness = randomness
    }

    /// A new token for `user`, good from now for `lifetime`.
    ///
    /// - Throws: what the encoder or the signature throws, which means a broken installation, never a bad user.
    public func token(for user: UserIdentity) throws -> String {
        let now = time.now
        return try token(
            claims: AccessTokenClaims(
                issuer: issuer, audience: audience, user: user, issuedAt: now, expiresAt: now + lifetime, id: randomness.hex(bytes: 16)))
    }

    func token(claims: AccessTokenClaims) throws -> String {
        let header = CompactJWS.Header(algorithm: publicKey.algorithm, type: AccessTokenClaims.type, keyID: publicKey.id)
        return try CompactJWS.serialize(header: header, claims: claims) { try privateKey.signature(for: $0).rawRepresentation }
    }
}
