import Commerce
import Crypto
import Foundation

@testable import Chassis

/// Writes tokens as an attacker or another issuer might: any header, any claims, any signature.
struct TokenForge {
    static let now = StoppedClock.start.secondsSinceEpoch
    static let key = P256.Signing.PrivateKey()
    static let otherKey = P256.Signing.PrivateKey()
    static let edwardsKey = Curve25519.Signing.PrivateKey()

    static var keySet: JSONWebKeySet { JSONWebKeySet(keys: [JSONWebKey(key.publicKey), JSONWebKey(edwardsKey.publicKey)]) }
    static var keyID: String { JSONWebKey(key.publicKey).id }
    static var edwardsKeyID: String { JSONWebKey(edwardsKey.publicKey).id }

    /// Members of the header and of the claims, as JSON; nil leaves a standard member out.
    var header: [String: String?] = [:]
    var claims: [String: String?] = [:]

    static let standardHeader = ["alg": #""ES256""#, "typ": #""at+jwt""#, "kid": "\"\(keyID)\""]
    static let standardClaims = [
        "iss": "\"\(AccessTokenClaims.standardIssuer)\"", "aud": "\"\(AccessTokenClaims.standardAudience)\"", "sub": #""42""#,
        "role": #""customer""#, "iat": "\(now)", "exp": "\(now + 900)", "jti": #""a""#,
    ]

    var signingInput: String {
        func json(_ standard: [String: String], _ changes: [String: String?]) -> String {
            let members = standard.filter { changes[$0.key] == nil }.merging(changes.compactMapValues { $0 }) { $1 }
            return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        }
        let parts = [json(Self.standardHeader, header), json(Self.standardClaims, claims)]
        return parts.map { Base64URL.encode(Data($0.utf8)) }.joined(separator: ".")
    }

    func signed(by sign: (Data) throws -> Data) rethrows -> String {
        let input = signingInput
        return input + "." + Base64URL.encode(try sign(Data(input.utf8)))
    }

    func token(key: P256.Signing.PrivateKey = TokenForge.key) throws -> String {
        try signed { try key.signature(for: $0).rawRepresentation }
    }

    func edwardsToken() throws -> String {
        var forge = self
        forge.header["alg"] = forge.header["alg"] ?? #""EdDSA""#
        forge.header["kid"] = forge.header["kid"] ?? "\"\(Self.edwardsKeyID)\""
        return try forge.signed { try Self.edwardsKey.signature(for: $0) }
    }

    func authenticatedToken(secret: Data) -> String {
        signed { Data(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: secret))) }
    }
}
