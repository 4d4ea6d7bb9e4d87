import Commerce
import Crypto
import Foundation
import Testing

@testable import Chassis

@Suite("Service tokens")
struct ServiceTokenTests {
    private static let secretText = "a secret of at least thirty-two bytes"
    private let clock = StoppedClock()
    private let secret: ServiceSecret
    private let verifier: ServiceTokenVerifier

    init() throws {
        secret = try ServiceSecret(Self.secretText)
        verifier = ServiceTokenVerifier(secret: secret, time: clock.time)
    }

    private func credentials(_ name: String = "order-service") -> ServiceCredentials {
        ServiceCredentials(secret: secret, name: name, time: clock.time)
    }

    private func error(for token: String) -> TokenError? {
        do {
            _ = try verifier.verify(token)
            return nil
        } catch {
            return error
        }
    }

    private func forge(header: [String: String?] = [:], claims: [String: String?] = [:]) -> TokenForge {
        let standardHeader: [String: String?] = ["alg": #""HS256""#, "typ": #""service+jwt""#, "kid": nil]
        let standardClaims: [String: String?] = [
            "iss": #""order-service""#, "sub": #""order-service""#, "aud": #""souk-internal""#, "exp": "\(TokenForge.now + 300)",
        ]
        return TokenForge(header: standardHeader.merging(header) { $1 }, claims: standardClaims.merging(claims) { $1 })
    }

    @Test("a token tells its verifier who calls, for five minutes")
    func lifetime() throws {
        let token = credentials().token()
        #expect(verifier.cached(token) == nil)
        #expect(try verifier.verify(token) == "order-service")
        #expect(verifier.cached(token) == "order-service")
        clock.advance(by: .seconds(299))
        #expect(verifier.cached(token) == "order-service")
        clock.advance(by: .seconds(1))
        #expect(verifier.cached(token) == nil)
        #expect(error(for: token) == .expired)
    }

    @Test("a token is used again until half of its life is over, or the clock is set back")
    func renewal() {
        let credentials = credentials()
        let first = credentials.token()
        clock.advance(by: .seconds(149))
        #expect(credentials.token() == first)
        clock.advance(by: .seconds(1))
        let second = credentials.token()
        #expect(second != first)
        clock.advance(by: .seconds(-60))
        #expect(credentials.token() != second)
    }

    @Test("whoever does not hold the secret cannot write a token, nor change one")
    func authenticity() throws {
        #expect(error(for: forge().authenticatedToken(secret: Data(Self.secretText.utf8))) == nil)
        #expect(error(for: forge().authenticatedToken(secret: Data("another secret of at least 32 bytes".utf8))) == .badSignature)
        #expect(error(for: forge().signed { _ in Data() }) == .badSignature)
        #expect(error(for: forge(header: ["alg": #""none""#]).signingInput + ".") == .wrongAlgorithm)
        #expect(error(for: try forge(header: ["alg": #""ES256""#]).token()) == .wrongAlgorithm)
        let token = credentials().token()
        for index in token.indices {
            let altered = token.replacingCharacters(in: index...index, with: token[index] == "A" ? "B" : "A")
            #expect(error(for: altered) != nil)
        }
    }

    @Test("tokens of another kind, audience or life are refused though the secret is right")
    func claims() {
        let key = Data(Self.secretText.utf8)
        #expect(error(for: forge(header: ["typ": #""at+jwt""#]).authenticatedToken(secret: key)) == .wrongType)
        #expect(error(for: forge(header: ["typ": nil]).authenticatedToken(secret: key)) == .wrongType)
        #expect(error(for: forge(claims: ["aud": #""urn:souk:api""#]).authenticatedToken(secret: key)) == .wrongAudience)
        #expect(error(for: forge(claims: ["aud": #"["souk-internal","b"]"#]).authenticatedToken(secret: key)) == .wrongAudience)
        #expect(error(for: forge(claims: ["sub": #""payment-service""#]).authenticatedToken(secret: key)) == .wrongIssuer)
        #expect(error(for: forge(claims: ["iss": #""""#, "sub": #""""#]).authenticatedToken(secret: key)) == .wrongIssuer)
        #expect(error(for: forge(claims: ["exp": "\(TokenForge.now + 301)"]).authenticatedToken(secret: key)) == .malformed)
        #expect(error(for: forge(claims: ["iat": "\(TokenForge.now + 61)"]).authenticatedToken(secret: key)) == .notYetValid)
    }

    @Test("a secret below 32 bytes is refused")
    func shortSecret() {
        #expect(throws: ServiceSecret.TooShort.self) { try ServiceSecret(String(repeating: "x", count: 31)) }
        #expect(throws: Never.self) { try ServiceSecret(String(repeating: "é", count: 16)) }
    }

    @Test("the secret shows nowhere, neither itself nor inside of what holds it")
    func redaction() {
        let credentials = credentials()
        var dumped = ""
        dump(credentials, to: &dumped)
        dump(secret, to: &dumped)
        dump(verifier, to: &dumped)
        let shown = ["\(secret)", String(reflecting: secret), "\(Optional(secret) as Any)", "\([secret])", "\(credentials)", dumped]
        for text in shown {
            #expect(!text.contains(Self.secretText))
            #expect(!text.contains("\(Array(Self.secretText.utf8.prefix(4)))".dropLast()))
        }
        #expect("\(secret)" == "(redacted)")
    }
}
