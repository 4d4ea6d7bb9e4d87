import Chassis
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import UserService

/// What somebody tries who wants into another's account, or more than an account of their own gives.
@Suite("An attacker")
struct AttackerTests {
    @Test("who guesses one account's password from many addresses is held up as from one, and its owner gets in by a reset")
    func manyAddresses() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        _ = try await fixture.sendMessages()
        for number in 0..<10 {
            await #expect(throws: UserError.invalidCredentials) {
                try await fixture.logIn("ADA@Example.org", password: "guess \(number)", from: "203.0.113.\(number)")
            }
        }
        let hashes = fixture.derivation.count
        for number in 10..<100 {
            await #expect(throws: UserError.tooManyFailures(retryAfter: .seconds(90))) {
                try await fixture.logIn(password: "guess \(number)", from: "203.0.113.\(number)")
            }
        }
        #expect(fixture.derivation.count == hashes, "a refused guess costs a hash")
        try await fixture.recovery.requestPasswordReset(for: EmailAddress("ada@example.org")!)
        let message = try #require(try await fixture.sendMessages().first { $0.kind == .resetPassword })
        try await fixture.recovery.resetPassword(OpaqueToken(presented: message.token), to: Password("battery staple"))
        _ = try await fixture.logIn(password: "battery staple", from: "203.0.113.200")
    }

    @Test("who tries one password on many accounts from a network of /64 is one address")
    func manyAccounts() async throws {
        let fixture = try await Fixture()
        var refused = 0
        for number in 0..<60 {
            do {
                _ = try await fixture.logIn("user\(number)@example.org", password: "123456", from: "2001:db8:1:2::\(number + 1)")
            } catch UserError.tooManyFailures {
                refused += 1
            } catch UserError.invalidCredentials {}
        }
        #expect(refused == 10)
        await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn("user1@example.org", from: "2001:db8:1:3::1") }
    }

    @Test("gets the same answer to a guess whether the account is there, is erased, or never was")
    func sameAnswers() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register("ada@example.org")
            try await fixture.register("bob@example.org")
            #expect(try await fixture.client.delete("/api/users/me", as: try await fixture.caller("bob@example.org")).status == .noContent)
            var logins: Set<Data> = []
            var resets: Set<String> = []
            for email in ["ada@example.org", "bob@example.org", "nobody@example.org"] {
                let login = try await fixture.logIn(email, password: "wrong horse")
                #expect(login.status == .unauthorized && login.headers[.wwwAuthenticate] == "Bearer")
                logins.insert(login.body)
                let reset = try await fixture.client.post("/api/users/password-reset", ["email": .string(email)])
                resets.insert("\(reset.status.code) \(reset.text)")
            }
            #expect(logins.count == 1 && resets == ["202 "])
        }
    }

    @Test("who sends passwords beyond all measure has none of them hashed")
    func oversizedPasswords() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let caller = try await fixture.caller()
            for length in [129, 5_000, 60_000] {
                let long = JSONValue.string(String(repeating: "x", count: length))
                let replies = [
                    try await fixture.client.post("/api/users/login", ["email": "ada@example.org", "password": long]),
                    try await fixture.client.post("/api/users/register", ["name": "E", "email": "eve@example.org", "password": long]),
                    try await fixture.client.put(
                        "/api/users/me/password", ["currentPassword": long, "newPassword": "battery staple"], as: caller),
                    try await fixture.client.post("/api/users/password-reset/confirm", ["token": "t", "newPassword": long]),
                ]
                for reply in replies {
                    #expect(reply.status == .badRequest && reply.pointers.count == 1, "\(reply.text)")
                    #expect(!reply.text.contains("xxxx"), "the password is told back")
                }
            }
            // The longest there may be, in characters that grow when they are normalised: each becomes twelve bytes of UTF-8.
            let longest = String(repeating: "\u{1D160}", count: 128)
            try await fixture.register("eve@example.org", password: longest)
            #expect(try await fixture.logIn("eve@example.org", password: longest).status == .ok)
        }
    }

    @Test("who guesses the token of a reset or a verification finds none, and costs no hash")
    func tokenGuesses() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        try await fixture.recovery.requestPasswordReset(for: EmailAddress("ada@example.org")!)
        let tokens = try await fixture.sendMessages().map(\.token)
        #expect(tokens.count == 2)
        let hashes = fixture.derivation.count
        for token in tokens {
            let guesses = [
                String(token.dropLast()), token + "=", token.lowercased(), token.uppercased(), "", "%", "' OR 1=1 --", " " + token,
            ]
            for guess in guesses {
                await #expect(throws: UserError.invalidMessageToken) {
                    try await fixture.recovery.resetPassword(OpaqueToken(presented: guess), to: Password("battery staple"))
                }
                await #expect(throws: UserError.invalidMessageToken) {
                    try await fixture.recovery.verifyEmail(OpaqueToken(presented: guess))
                }
            }
        }
        #expect(fixture.derivation.count == hashes)
        _ = try await fixture.logIn()
    }

    @Test("who shows the token of a reset many times at once sets one password")
    func concurrentResets() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        _ = try await fixture.sendMessages()
        try await fixture.recovery.requestPasswordReset(for: EmailAddress("ada@example.org")!)
        let token = OpaqueToken(presented: try #require(try await fixture.sendMessages().first).token)
        let passwords = (0..<20).map { "a new password \($0)" }
        let set = try await withThrowingTaskGroup(of: String?.self) { group in
            for password in passwords {
                group.addTask {
                    do {
                        try await fixture.recovery.resetPassword(token, to: Password(password))
                        return password
                    } catch UserError.invalidMessageToken {
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [String]()) { if let password = $1 { $0.append(password) } }
        }
        #expect(set.count == 1)
        _ = try await fixture.logIn(password: try #require(set.first))
    }
}

/// What a session is still good for once something has happened to its account.
@Suite("After")
struct EndedSessionTests {
    private struct Pair {
        let accessToken: String
        let refreshToken: String
        var caller: TestCaller { .header("Bearer \(accessToken)") }
    }

    private func pair(_ fixture: ServiceFixture) async throws -> Pair {
        let login = try await fixture.logIn().json
        return Pair(
            accessToken: try #require(login["accessToken"].string), refreshToken: try #require(login["refreshToken"].string))
    }

    private func refresh(_ token: String, _ fixture: ServiceFixture) async throws -> HTTPResponse.Status {
        try await fixture.client.post("/api/users/token", ["refreshToken": .string(token)]).status
    }

    @Test("a change of the password every session's refresh token is worth nothing, the one that changed it included")
    func passwordChange() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let (own, other) = (try await pair(fixture), try await pair(fixture))
            let changed = try await fixture.client.put(
                "/api/users/me/password", ["currentPassword": "correct horse", "newPassword": "battery staple"], as: own.caller)
            #expect(changed.status == .noContent)
            for token in [own.refreshToken, other.refreshToken] { #expect(try await refresh(token, fixture) == .unauthorized) }
            #expect(try await fixture.logIn().status == .unauthorized)
            #expect(try await fixture.logIn(password: "battery staple").status == .ok)
        }
    }

    @Test("an erasure the account's tokens are worth nothing here, though the access token has not expired")
    func erasure() async throws {
        try await ServiceFixture.run { fixture in
            let id = try await fixture.register()
            let token = try await pair(fixture)
            #expect(try await fixture.client.delete("/api/users/me", as: token.caller).status == .noContent)
            #expect(try await refresh(token.refreshToken, fixture) == .unauthorized)
            let replies = [
                try await fixture.client.get("/api/users/me", as: token.caller),
                try await fixture.client.get("/api/users/\(id)", as: token.caller),
                try await fixture.client.patch("/api/users/me", ["name": "Ada again"], as: token.caller),
                try await fixture.client.put(
                    "/api/users/me/password", ["currentPassword": "correct horse", "newPassword": "battery staple"], as: token.caller),
                try await fixture.client.delete("/api/users/me", as: token.caller),
            ]
            #expect(replies.allSatisfy { $0.status == .notFound && $0.json["error"] == "User not found" })
            // Whoever registers with the address again is somebody else.
            #expect(try await fixture.register() != id)
            #expect(try await fixture.client.get("/api/users/me", as: token.caller).status == .notFound)
            #expect(try await refresh(token.refreshToken, fixture) == .unauthorized)
        }
    }

    @Test("a logout only that session has ended; a refresh token says nothing where an access token is wanted, nor the other way round")
    func logout() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let (ended, other) = (try await pair(fixture), try await pair(fixture))
            #expect(try await fixture.client.post("/api/users/logout", ["refreshToken": .string(ended.refreshToken)]).status == .noContent)
            #expect(try await refresh(ended.refreshToken, fixture) == .unauthorized)
            let asAccess = try await fixture.client.get("/api/users/me", as: .header("Bearer \(other.refreshToken)"))
            #expect(asAccess.status == .unauthorized)
            #expect(try await refresh(other.accessToken, fixture) == .badRequest)
            #expect(try await refresh(other.refreshToken, fixture) == .ok)
        }
    }
}

@Suite("A body that says more than it may")
struct MassAssignmentTests {
    /// All that an account has and no customer sets.
    private static let claims: [String: JSONValue] = [
        "id": 1, "userId": 1, "role": "admin", "isAdmin": true, "emailVerified": true, "isEmailVerified": true, "email_verified_at": 1,
        "createdAt": "2001-01-01T00:00:00.000Z", "erasedAt": nil, "passwordHash": "x",
    ]

    @Test("registers a customer like any other")
    func registration() async throws {
        try await ServiceFixture.run { fixture in
            var body = Self.claims
            body.merge(["name": "Eve", "email": "eve@example.org", "password": "correct horse"]) { $1 }
            let reply = try await fixture.client.post("/api/users/register", .object(body))
            #expect(reply.status == .created && reply.json["id"] != 1)
            let caller = try await fixture.caller("eve@example.org")
            let profile = try await fixture.client.get("/api/users/me", as: caller).json
            #expect(profile["role"] == "customer" && profile["emailVerified"] == false)
            #expect(profile["createdAt"].string?.hasPrefix("2001") == false)
            #expect(try await fixture.client.get("/api/users", as: caller).status == .forbidden)
        }
    }

    @Test("changes of a profile what a customer may change, and no email or password beside it")
    func profile() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let caller = try await fixture.caller()
            let before = try await fixture.client.get("/api/users/me", as: caller).json
            var body = Self.claims
            body.merge(["name": "Eve", "email": "eve@example.org", "password": "another password"]) { $1 }
            let reply = try await fixture.client.patch("/api/users/me", .object(body), as: caller)
            #expect(reply.status == .ok && reply.json["name"] == "Eve")
            for member in before.members where member != "name" { #expect(reply.json[member] == before[member], "\(member)") }
            // Not in the next token either.
            #expect(try await fixture.client.get("/api/users", as: try await fixture.caller()).status == .forbidden)
        }
    }
}
