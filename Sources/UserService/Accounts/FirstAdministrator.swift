import Chassis
import Commerce
import Foundation

/// Sees to it that there is an administrator from the first start.
///
/// When there is none, the account of the settings is made, or made an administrator's if it exists. Once there is one, the settings
/// are not looked at again: a password is changed like any other, not by a restart.
struct FirstAdministrator: Sendable {
    let store: UserStore
    let hasher: PasswordHasher
    let time: TimeSource
    let randomness: Randomness
    /// Tells the operator, and nobody else: not the log.
    let announce: @Sendable (String) -> Void

    /// - Parameter password: nil makes a random one, which is announced once.
    func ensure(email: EmailAddress, password: String?) async throws {
        guard try await !store.hasAdministrator(), let name = PersonName("Administrator") else { return }
        let chosen = password ?? OpaqueToken(randomness).text
        let hash = try await hasher.hash(Password(chosen))
        do {
            _ = try await store.insert(
                NewUser(name: name, email: email, password: hash, role: .admin, isEmailVerified: true), at: time.now)
        } catch UserError.alreadyExists {
            // Another replica was faster, or the address is a customer's, whom the operator has named.
            guard try await !store.hasAdministrator() else { return }
            try await store.promote(email, password: hash, at: time.now)
        }
        if password == nil { announce("Administrator: \(email.text)  password: \(chosen)  (shown only this once)") }
    }

    /// A plain line on standard error.
    static func announceOnStandardError(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
