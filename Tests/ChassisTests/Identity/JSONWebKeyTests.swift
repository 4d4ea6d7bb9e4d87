import Commerce
import Crypto
import Foundation
import JWTKit
import Testing

@testable import Chassis

@Suite("Public keys and their wire form")
struct JSONWebKeyTests {
    // RFC 8037 appendix A.2; its thumbprint is A.3, its signature A.4.
    private let edwards = #"{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
    // RFC 7515 appendix A.3.
    private let elliptic =
        #"{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#

    private func key(_ json: String) throws -> Chassis.JSONWebKey {
        try JSONDecoder().decode(Chassis.JSONWebKey.self, from: Data(json.utf8))
    }

    private func isValid(_ jws: String, key: Chassis.JSONWebKey) throws -> Bool {
        let end = try #require(jws.lastIndex(of: "."))
        let signature = try #require(Base64URL.decode(String(jws[jws.index(after: end)...])))
        return key.isValidSignature(signature, for: Data(jws[..<end].utf8))
    }

    @Test("the examples of the RFCs verify, and not with a bit changed")
    func examples() throws {
        let ed25519 =
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        let es256 =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
            + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        #expect(try isValid(ed25519, key: key(edwards)))
        #expect(try isValid(es256, key: key(elliptic)))
        #expect(try !isValid(ed25519.replacing("RXh", with: "RXg"), key: key(edwards)))
        #expect(try !isValid(es256.replacing("Dt", with: "Du"), key: key(elliptic)))
    }

    @Test("the key id is the thumbprint of RFC 7638")
    func thumbprint() throws {
        let bytes = try #require(Base64URL.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        let key = Chassis.JSONWebKey(try Curve25519.Signing.PublicKey(rawRepresentation: bytes))
        #expect(key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test("a key set comes back as it was written, and says nothing but what is public")
    func roundTrip() throws {
        let data = try JSONEncoder().encode(TokenForge.keySet)
        #expect(try JSONDecoder().decode(JSONWebKeySet.self, from: data) == TokenForge.keySet)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [[String: String]]])
        let members = try #require(object["keys"]).map { Set($0.keys) }
        #expect(members == [["kty", "crv", "x", "y", "kid", "alg", "use"], ["kty", "crv", "x", "kid", "alg", "use"]])
    }

    @Test("keys of other kinds are passed over, wherever they stand in the set")
    func otherKeys() throws {
        let rsa = #"{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"}"#
        let symmetric = #"{"kty":"oct","kid":"s","k":"AAAA"}"#
        let forEncryption = edwards.replacing(#""kid":"ed""#, with: #""kid":"enc","use":"enc""#)
        let set = Data(#"{"keys":[\#(rsa),\#(edwards),{},7,\#(symmetric),\#(forEncryption),\#(elliptic)]}"#.utf8)
        #expect(try JSONDecoder().decode(JSONWebKeySet.self, from: set).keys.map(\.id) == ["ed", "ec"])
    }

    @Test("a key that is off its curve, cut short, without an id or for another algorithm is none")
    func badKeys() throws {
        let bad = [
            elliptic.replacing("x_FEzRu9", with: "x_FEzRu8"), elliptic.replacing("f83O", with: ""),
            elliptic.replacing("P-256", with: "P-384"),
            edwards.replacing("11qY", with: ""), edwards.replacing(#""kid":"ed","#, with: ""),
            edwards.replacing(#""kid":"ed""#, with: #""kid":"ed","alg":"HS256""#),
        ]
        for json in bad {
            #expect(throws: (any Error).self, "\(json)") { try key(json) }
        }
    }

    @Test("jwt-kit, another implementation, accepts our tokens, and we accept its")
    func otherImplementation() async throws {
        struct Payload: JWTPayload {
            var iss: String, aud: String, sub: String, role: String, iat: Int, exp: Int, jti: String
            func verify(using algorithm: some JWTAlgorithm) {}
        }
        let clock = StoppedClock()
        let keys = JWTKeyCollection()
        await keys.add(ecdsa: try ES256PrivateKey(pem: TokenForge.key.pemRepresentation), kid: .init(string: TokenForge.keyID))
        let signer = AccessTokenSigner(privateKey: TokenForge.key, time: clock.time, randomness: countingRandomness())
        let ours = try signer.token(for: UserIdentity(id: .init(rawValue: 7)!, role: .admin))
        let payload = try await keys.verify(ours, as: Payload.self)
        #expect(payload.sub == "7" && payload.role == "admin" && payload.exp - payload.iat == 900)

        let theirs = try await keys.sign(payload, kid: .init(string: TokenForge.keyID), header: ["typ": "at+jwt"])
        let verifier = AccessTokenVerifier(keys: .fixed(TokenForge.keySet), time: clock.time)
        #expect(try await verifier.verify(theirs).role == .admin)
    }
}

@Suite("Base64URL")
struct Base64URLTests {
    @Test("every length comes back")
    func roundTrip() {
        for length in 0..<70 {
            let bytes = Data((0..<length).map { UInt8(truncatingIfNeeded: $0 * 37 + 250) })
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }

    @Test("there is one spelling only", arguments: ["QQ==", "QQ=", "QR", "QUJ", "Q", "QUJDR", "Q Q", "QQ\n", "+/8", "Qé", "Q.Q"])
    func otherSpellings(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
