import Commerce
import Crypto
import Foundation
import Testing

@testable import Chassis

@Suite("Access tokens")
struct AccessTokenVerifierTests {
    private let clock = StoppedClock()
    private let user = UserIdentity(id: UserID(rawValue: 42)!, role: .customer)

    private func verifier() -> AccessTokenVerifier {
        AccessTokenVerifier(keys: .fixed(TokenForge.keySet), time: clock.time)
    }

    private func error(for token: String) async -> TokenError? {
        do {
            _ = try await verifier().verify(token)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Good tokens

    @Test("what the user service signs speaks for its user until the moment it expires, cached or not")
    func lifetime() async throws {
        let signer = AccessTokenSigner(privateKey: TokenForge.key, time: clock.time, randomness: countingRandomness())
        let token = try signer.token(for: UserIdentity(id: user.id, role: .admin))
        let verifier = verifier()
        #expect(verifier.cached(token) == nil)
        #expect(try await verifier.verify(token) == UserIdentity(id: user.id, role: .admin))
        #expect(verifier.cached(token)?.role == .admin)
        clock.advance(by: .seconds(899))
        #expect(try await verifier.verify(token).id == user.id)
        clock.advance(by: .seconds(1))
        #expect(verifier.cached(token) == nil)
        await #expect(throws: TokenError.expired) { try await verifier.verify(token) }
        #expect(await error(for: token) == .expired)
    }

    @Test("two tokens for one user at one moment differ")
    func tokensAreUnique() throws {
        let signer = AccessTokenSigner(privateKey: TokenForge.key, time: clock.time, randomness: .system)
        let tokens = try [signer.token(for: user), signer.token(for: user)]
        let ids = try tokens.map { try CompactJWS(parsing: $0).claims(as: AccessTokenClaims.self).registered.id }
        #expect(ids[0] != ids[1])
    }

    @Test(
        "variants that the RFCs allow are accepted",
        arguments: [
            TokenForge(header: ["typ": #""AT+JWT""#]), TokenForge(header: ["typ": #""application/at+jwt""#]),
            TokenForge(claims: ["aud": #"["urn:other","urn:souk:api"]"#]), TokenForge(claims: ["exp": "\(TokenForge.now + 900).5"]),
            TokenForge(claims: ["iat": "\(TokenForge.now + 60)"]), TokenForge(claims: ["nbf": "\(TokenForge.now + 60)"]),
            TokenForge(header: ["x5t": #""unknown members are passed over""#], claims: ["scope": #""a b""#]),
        ])
    func allowedVariants(forge: TokenForge) async throws {
        #expect(try await verifier().verify(forge.token()) == user)
        #expect(try await verifier().verify(forge.edwardsToken()) == user)
    }

    // MARK: Bad tokens

    @Test("changing any one character of a token makes it worthless")
    func everyAlteration() async throws {
        let token = try TokenForge().token()
        let verifier = verifier()
        _ = try await verifier.verify(token)
        for index in token.indices {
            for replacement in ["A", "Q", "_", "-", ".", "=", "%"] where String(token[index]) != replacement {
                let altered = token.replacingCharacters(in: index...index, with: replacement)
                #expect(verifier.cached(altered) == nil)
                await #expect(throws: TokenError.self, "at \(token.distance(from: token.startIndex, to: index)): \(replacement)") {
                    try await verifier.verify(altered)
                }
            }
        }
        #expect(verifier.cachedTokens == 1)
    }

    @Test("a token without a signature is refused, however it spells that", arguments: ["none", "None", "NONE", "nOnE", ""])
    func unsigned(algorithm: String) async {
        let forge = TokenForge(header: ["alg": "\"\(algorithm)\""])
        #expect(await error(for: forge.signingInput + ".") == .wrongAlgorithm)
        #expect(await error(for: forge.signed { _ in Data(count: 64) }) == .wrongAlgorithm)
    }

    @Test("the public key does not pass for the secret of an HMAC")
    func algorithmConfusion() async throws {
        let publicKey = TokenForge.key.publicKey
        let spellings = [
            publicKey.rawRepresentation, publicKey.x963Representation, publicKey.derRepresentation, Data(publicKey.pemRepresentation.utf8),
            try JSONEncoder().encode(JSONWebKey(publicKey)), try JSONEncoder().encode(TokenForge.keySet), Data(TokenForge.keyID.utf8),
        ]
        for secret in spellings {
            #expect(await error(for: TokenForge(header: ["alg": #""HS256""#]).authenticatedToken(secret: secret)) == .wrongAlgorithm)
            #expect(await error(for: TokenForge().authenticatedToken(secret: secret)) == .badSignature)
        }
    }

    @Test("a key signs with its own algorithm only")
    func algorithmOfTheKey() async throws {
        #expect(await error(for: try TokenForge(header: ["alg": #""EdDSA""#]).token()) == .wrongAlgorithm)
        #expect(await error(for: try TokenForge(header: ["alg": #""ES256""#]).edwardsToken()) == .wrongAlgorithm)
        for algorithm in ["ES384", "ES512", "RS256", "PS256", "HS256", "HS512", "es256"] {
            #expect(await error(for: try TokenForge(header: ["alg": "\"\(algorithm)\""]).token()) == .wrongAlgorithm)
        }
    }

    @Test("signatures that are no signatures are refused")
    func signatures() async throws {
        #expect(await error(for: try TokenForge().token(key: TokenForge.otherKey)) == .badSignature)
        let forge = TokenForge()
        let der = try forge.signed { try TokenForge.key.signature(for: $0).derRepresentation }
        #expect(await error(for: der) == .badSignature)
        for length in [0, 1, 32, 63, 64, 65, 128] {
            #expect(await error(for: forge.signed { _ in Data(count: length) }) == .badSignature)
        }
        // A key that comes with the token is nobody's key.
        let own = String(decoding: try JSONEncoder().encode(JSONWebKey(TokenForge.otherKey.publicKey)), as: UTF8.self)
        #expect(await error(for: try TokenForge(header: ["jwk": own]).token(key: TokenForge.otherKey)) == .badSignature)
        #expect(await error(for: try TokenForge(header: ["jwk": own, "kid": nil]).token(key: TokenForge.otherKey)) == .unknownKey)
    }

    @Test(
        "claims and headers that are not ours are refused with their reason",
        arguments: [
            (TokenForge(claims: ["exp": "\(TokenForge.now)"]), TokenError.expired),
            (TokenForge(claims: ["exp": "\(TokenForge.now - 3600)"]), .expired),
            (TokenForge(claims: ["exp": "-1"]), .expired),
            (TokenForge(claims: ["iat": "\(TokenForge.now + 61)"]), .notYetValid),
            (TokenForge(claims: ["nbf": "\(TokenForge.now + 61)"]), .notYetValid),
            (TokenForge(claims: ["iss": #""urn:souk:user-service/""#]), .wrongIssuer),
            (TokenForge(claims: ["aud": #""souk-internal""#]), .wrongAudience),
            (TokenForge(claims: ["aud": "[]"]), .wrongAudience),
            (TokenForge(header: ["typ": nil]), .wrongType),
            (TokenForge(header: ["typ": #""JWT""#]), .wrongType),
            (TokenForge(header: ["typ": #""service+jwt""#]), .wrongType),
            (TokenForge(header: ["kid": nil]), .unknownKey),
            (TokenForge(header: ["kid": #""another""#]), .unknownKey),
            (TokenForge(header: ["crit": #"["b64"]"#]), .malformed),
            (TokenForge(header: ["alg": nil]), .malformed),
            (TokenForge(header: ["alg": "256"]), .malformed),
        ])
    func refused(forge: TokenForge, expected: TokenError) async throws {
        #expect(await error(for: try forge.token()) == expected)
    }

    @Test(
        "claims that are missing or of the wrong kind make a token malformed",
        arguments: [
            ["iss": nil], ["aud": nil], ["sub": nil], ["role": nil], ["iat": nil], ["exp": nil], ["jti": nil], ["exp": #""9999999999""#],
            ["exp": "1e300"], ["exp": "1e400"], ["exp": "null"], ["iat": "true"], ["sub": "42"], ["sub": #""-1""#], ["sub": #""0""#],
            ["sub": #""4e2""#], ["sub": #""99999999999999999999""#], ["role": #""root""#], ["role": #"["admin"]"#], ["aud": "7"],
        ] as [[String: String?]])
    func malformedClaims(claims: [String: String?]) async throws {
        #expect(await error(for: try TokenForge(claims: claims).token()) == .malformed)
    }

    @Test("what is no token is refused as malformed")
    func noToken() async throws {
        let token = try TokenForge().token()
        let parts = token.split(separator: ".")
        let others = [
            "", ".", "..", "...", "a.b.c", "eyJ", String(repeating: ".", count: 100), " " + token, token + " ", token + ".", token + "=",
            token + ".e30", "eyJ" + String(repeating: "A", count: 9000), "\(parts[0]).\(parts[1])", "\(parts[0])..\(parts[2])",
            ".\(parts[1]).\(parts[2])", "\(parts[0])\n.\(parts[1]).\(parts[2])", "Bearer " + token, String(repeating: "é", count: 50),
        ]
        for other in others {
            #expect(await error(for: other) == .malformed, "\(other.prefix(80))")
            #expect(verifier().cached(other) == nil)
        }
    }

    @Test("a token of more than 8 KB is refused unread, even if it is genuine")
    func hugeTokens() async throws {
        let fits = try TokenForge(claims: ["padding": "\"\(String(repeating: "x", count: 5500))\""]).token()
        let tooLarge = try TokenForge(claims: ["padding": "\"\(String(repeating: "x", count: 6000))\""]).token()
        #expect(fits.utf8.count <= 8192 && tooLarge.utf8.count > 8192)
        #expect(await error(for: fits) == nil)
        #expect(await error(for: tooLarge) == .malformed)
        #expect(await error(for: String(repeating: "eyJ", count: 1_000_000)) == .malformed)
    }

    // MARK: The cache

    @Test("the cache never holds more than its capacity, and keeps what is used")
    func cacheBound() async throws {
        let verifier = AccessTokenVerifier(keys: .fixed(TokenForge.keySet), time: clock.time, cacheCapacity: 10)
        let used = try TokenForge().token()
        _ = try await verifier.verify(used)
        for number in 0..<100 {
            _ = try await verifier.verify(TokenForge(claims: ["jti": "\"\(number)\""]).token())
            #expect(verifier.cachedTokens <= 10)
            #expect(verifier.cached(used) != nil)
        }
    }

    @Test("tokens that fail never enter the cache")
    func cacheAdmitsOnlyVerified() async throws {
        let verifier = verifier()
        for number in 0..<100 {
            let forge = TokenForge(claims: ["jti": "\"\(number)\""])
            _ = try? await verifier.verify(forge.token(key: TokenForge.otherKey))
            _ = try? await verifier.verify(TokenForge(claims: ["exp": "\(number)"]).token())
        }
        #expect(verifier.cachedTokens == 0)
    }
}

extension TokenForge: CustomTestStringConvertible {
    var testDescription: String { "header \(header), claims \(claims)" }
}
