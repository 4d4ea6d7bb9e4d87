import Chassis
import Commerce
import Contracts

/// The ways around a forgotten password, and the proof that an email is somebody's own.
struct Recovery: Sendable {
    let store: UserStore
    let hasher: PasswordHasher
    let throttle: LoginThrottle
    let time: TimeSource

    /// Has a message sent to the account's owner, if there is an account. It takes the same time if there is none.
    func requestPasswordReset(for email: EmailAddress) async throws {
        try await store.requestPasswordReset(for: email, at: time.now)
    }

    /// Sets a new password by the token that was sent, ends every session, and forgets the failed logins of the account.
    ///
    /// - Throws: `UserError.invalidMessageToken`, before a password is hashed for a token that is no good; `.overloaded`.
    func resetPassword(_ token: OpaqueToken, to password: Password) async throws {
        guard try await store.isGood(token, .resetPassword, at: time.now) else { throw UserError.invalidMessageToken }
        let hash = try await hasher.hash(password)
        let account = try await store.resetPassword(token, to: hash, at: time.now)
        throttle.forget(account: account)
    }

    /// Has the message that verifies the email sent again, unless it is verified already.
    func requestVerification(of id: UserID) async throws {
        try await store.requestVerification(of: id, at: time.now)
    }

    /// - Throws: `UserError.invalidMessageToken`.
    func verifyEmail(_ token: OpaqueToken) async throws {
        try await store.verifyEmail(token, at: time.now)
    }
}
