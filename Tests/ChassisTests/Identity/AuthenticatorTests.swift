import Commerce
import Foundation
import HTTPTypes
import Testing

@testable import Chassis

@Suite("From the Authorization header to the caller")
struct AuthenticatorTests {
    private let clock = StoppedClock()
    private let secret: ServiceSecret
    private let authenticator: Authenticator

    init() throws {
        secret = try ServiceSecret(String(repeating: "s", count: 32))
        authenticator = Authenticator(
            users: AccessTokenVerifier(keys: .fixed(TokenForge.keySet), time: clock.time),
            services: ServiceTokenVerifier(secret: secret, time: clock.time))
    }

    private func problem(_ authorization: String, from authenticator: Authenticator? = nil) async -> Problem? {
        do {
            _ = try await (authenticator ?? self.authenticator).caller(authorization: authorization)
            return nil
        } catch {
            return error
        }
    }

    @Test("no header is nobody")
    func anonymous() async throws {
        #expect(try await authenticator.caller(authorization: nil) == .anonymous)
        #expect(authenticator.cached(authorization: nil) == .anonymous)
    }

    @Test("users and services are told apart, and known at once the second time", arguments: ["Bearer ", "bearer ", "BEARER   "])
    func callers(scheme: String) async throws {
        let user = scheme + (try TokenForge(claims: ["role": #""admin""#]).token())
        let service = scheme + ServiceCredentials(secret: secret, name: "souk", time: clock.time).token()
        let expectedUser = Caller.user(UserIdentity(id: UserID(rawValue: 42)!, role: .admin))
        for (header, expected) in [(user, expectedUser), (service, .service("souk"))] {
            #expect(authenticator.cached(authorization: header) == nil)
            #expect(try await authenticator.caller(authorization: header) == expected)
            #expect(authenticator.cached(authorization: header) == expected)
        }
    }

    @Test(
        "another scheme or no token is a 401 that names Bearer",
        arguments: ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "abc", "Bearerabc x"])
    func otherSchemes(header: String) async {
        let problem = await problem(header)
        #expect(problem?.status == .unauthorized)
        #expect(problem?.headers[.wwwAuthenticate] == "Bearer")
    }

    @Test("a token that is no good is a 401 that says why, as RFC 6750 wants it")
    func invalidTokens() async throws {
        let expired = await problem("Bearer " + (try TokenForge(claims: ["exp": "1"]).token()))
        #expect(expired?.status == .unauthorized)
        #expect(expired?.headers[.wwwAuthenticate] == #"Bearer error="invalid_token", error_description="The access token has expired""#)
        #expect(await problem("Bearer x")?.status == .unauthorized)
        #expect(await problem("Bearer a b")?.status == .unauthorized)
        for error in TokenError.allCases {
            #expect(error.sentence.allSatisfy { $0.isASCII && $0 != "\"" && $0 != "\\" })
        }
    }

    @Test("when the keys are away it is a 503 with Retry-After, since nobody knows whether the token is good")
    func keysAway() async throws {
        struct Away: Error {}
        let users = AccessTokenVerifier(keys: KeySource { throw Away() }, time: clock.time)
        let problem = await problem("Bearer " + (try TokenForge().token()), from: Authenticator(users: users, services: nil))
        #expect(problem?.status == .serviceUnavailable)
        #expect(problem?.headers[.retryAfter] != nil)
        #expect(problem?.headers[.wwwAuthenticate] == nil)
    }

    @Test("a kind of token that is not wanted is refused: no service gets in where there are only users")
    func unwantedKinds() async throws {
        let usersOnly = Authenticator(users: AccessTokenVerifier(keys: .fixed(TokenForge.keySet), time: clock.time), services: nil)
        let servicesOnly = Authenticator(users: nil, services: ServiceTokenVerifier(secret: secret, time: clock.time))
        let service = "Bearer " + ServiceCredentials(secret: secret, name: "souk", time: clock.time).token()
        #expect(await problem(service, from: usersOnly)?.status == .unauthorized)
        #expect(await problem("Bearer " + (try TokenForge().token()), from: servicesOnly)?.status == .unauthorized)
    }

    @Test("an access token with the type of a service token is judged as one, and fails")
    func typeConfusion() async throws {
        #expect(await problem("Bearer " + (try TokenForge(header: ["typ": #""service+jwt""#]).token()))?.status == .unauthorized)
    }
}
