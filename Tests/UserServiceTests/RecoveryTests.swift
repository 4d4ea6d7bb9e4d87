import Chassis
import ChassisStorage
import Commerce
import Contracts
import Testing

@testable import UserService

@Suite("A message with a secret")
struct RecoveryTests {
    private let newPassword = Password("battery staple")

    private func reset(_ fixture: Fixture, _ email: String = "ada@example.org") async throws {
        try await fixture.recovery.requestPasswordReset(for: EmailAddress(email)!)
    }

    @Test("verifies the email of a new account, once")
    func verification() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        let message = try #require(try await fixture.sendMessages().first)
        #expect(message.kind == .verifyEmail && message.email == "ada@example.org" && message.userID == user.id)
        #expect(message.expiresAt == fixture.clock.now + .seconds(1800))
        try await fixture.recovery.verifyEmail(OpaqueToken(presented: message.token))
        #expect(try await fixture.store.user(user.id)?.isEmailVerified == true)
        await #expect(throws: UserError.invalidMessageToken) {
            try await fixture.recovery.verifyEmail(OpaqueToken(presented: message.token))
        }
    }

    @Test("is sent again when it is asked for, but not at once, and not when there is nothing left to verify")
    func verificationAgain() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        _ = try await fixture.sendMessages()
        try await fixture.recovery.requestVerification(of: user.id)
        #expect(try await fixture.sendMessages().isEmpty)
        fixture.clock.advance(by: .seconds(61))
        try await fixture.recovery.requestVerification(of: user.id)
        try await fixture.recovery.requestVerification(of: user.id)
        let messages = try await fixture.sendMessages()
        #expect(messages.count == 1)
        try await fixture.recovery.verifyEmail(OpaqueToken(presented: messages[0].token))
        fixture.clock.advance(by: .seconds(61))
        try await fixture.recovery.requestVerification(of: user.id)
        #expect(try await fixture.sendMessages().isEmpty)
    }

    @Test("lets its receiver set a password, once; every session ends and the email counts as verified")
    func passwordReset() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        _ = try await fixture.sendMessages()
        let session = try await fixture.logIn()
        for _ in 0..<10 { _ = try? await fixture.logIn(password: "wrong horse") }
        try await reset(fixture)
        let message = try #require(try await fixture.sendMessages().first)
        #expect(message.kind == .resetPassword)
        try await fixture.recovery.resetPassword(OpaqueToken(presented: message.token), to: newPassword)

        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(session.refreshToken) }
        _ = try await fixture.logIn(password: "battery staple")
        await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn() }
        #expect(try await fixture.store.user(user.id)?.isEmailVerified == true)
        let before = fixture.derivation.count
        await #expect(throws: UserError.invalidMessageToken) {
            try await fixture.recovery.resetPassword(OpaqueToken(presented: message.token), to: newPassword)
        }
        #expect(fixture.derivation.count == before)
    }

    @Test("is not to be had for an email that nobody has, and asking takes the same writes")
    func unknownEmail() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        _ = try await fixture.sendMessages()
        try await reset(fixture, "nobody@example.org")
        try await reset(fixture)
        #expect(try await fixture.jobs(FindAccountToReset.kind).count == 2)
        #expect(try await fixture.jobs(SendSecretMessage.kind).isEmpty)
        #expect(try await fixture.sendMessages().map(\.email) == ["ada@example.org"])
        #expect(fixture.derivation.count == 1)
    }

    @Test("goes out once a minute at most, however often it is asked for")
    func interval() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        _ = try await fixture.sendMessages()
        for _ in 0..<5 { try await reset(fixture) }
        #expect(try await fixture.sendMessages().count == 1)
        try await reset(fixture, "ADA@example.org")
        #expect(try await fixture.sendMessages().isEmpty)
        fixture.clock.advance(by: .seconds(61))
        try await reset(fixture)
        #expect(try await fixture.sendMessages().count == 1)
    }

    @Test("expires after 30 minutes")
    func expiry() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        try await reset(fixture)
        let message = try #require(try await fixture.sendMessages().last { $0.kind == .resetPassword })
        fixture.clock.advance(by: .seconds(1800))
        await #expect(throws: UserError.invalidMessageToken) {
            try await fixture.recovery.resetPassword(OpaqueToken(presented: message.token), to: newPassword)
        }
        fixture.clock.advance(by: .seconds(1))
        let now = fixture.clock.now
        try await fixture.database.write { _ = try UserStore.deleteExpiredMessageTokens(before: now, limit: 10, in: $0) }
        #expect(try await fixture.database.read { try $0.value("SELECT count(*) FROM message_tokens", as: Int64.self) } == 0)
    }

    @Test("is good for its own purpose only")
    func purpose() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let message = try #require(try await fixture.sendMessages().first)
        await #expect(throws: UserError.invalidMessageToken) {
            try await fixture.recovery.resetPassword(OpaqueToken(presented: message.token), to: newPassword)
        }
    }

    @Test("keeps its id when it is sent again, and whichever copy arrived is good")
    func retried() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let first = try await fixture.sendMessages(failing: true)
        let second = try await fixture.sendMessages()
        #expect(first.map(\.id) == second.map(\.id) && first.count == 1)
        #expect(first[0].token != second[0].token)
        try await fixture.recovery.verifyEmail(OpaqueToken(presented: first[0].token))
        await #expect(throws: UserError.invalidMessageToken) {
            try await fixture.recovery.verifyEmail(OpaqueToken(presented: second[0].token))
        }
    }

    @Test("is never stored in the clear")
    func nothingInTheClear() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let message = try #require(try await fixture.sendMessages(failing: true).first)
        let texts = try await fixture.database.read { transaction in
            try transaction.all("SELECT payload AS text FROM jobs UNION ALL SELECT hex(hash) AS text FROM message_tokens") {
                try $0["text"] as String
            }
        }
        #expect(texts.count == 2 && texts.allSatisfy { !$0.contains(message.token) })
    }

    @Test("is not sent to an account that was erased meanwhile")
    func erased() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        try await fixture.accounts.erase(user.id)
        #expect(try await fixture.sendMessages().isEmpty)
    }

    @Test("is not needed to change a password that is known; a wrong one counts as a failed login")
    func changePassword() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        let session = try await fixture.logIn()
        for _ in 0..<10 {
            await #expect(throws: UserError.wrongPassword) {
                try await fixture.accounts.changePassword(of: user.id, from: Password("wrong horse"), to: newPassword, address: nil)
            }
        }
        await #expect(throws: UserError.tooManyFailures(retryAfter: .seconds(90))) {
            try await fixture.accounts.changePassword(of: user.id, from: Password("correct horse"), to: newPassword, address: nil)
        }
        fixture.clock.advance(by: .seconds(3600))
        try await fixture.accounts.changePassword(of: user.id, from: Password("correct horse"), to: newPassword, address: nil)
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(session.refreshToken) }
        _ = try await fixture.logIn(password: "battery staple")
    }
}
