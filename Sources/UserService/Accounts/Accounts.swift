import Chassis
import Commerce

/// What people do with their accounts, and what administrators may see of them.
struct Accounts: Sendable {
    let store: UserStore
    let hasher: PasswordHasher
    let throttle: LoginThrottle
    let time: TimeSource

    /// Adds an account.
    ///
    /// An email that is taken is told before the password is hashed, for there is no use in the work; of several registrations at once
    /// the schema lets one through.
    ///
    /// - Throws: `UserError.alreadyExists`, `.overloaded`.
    func register(name: PersonName, email: EmailAddress, password: Password) async throws -> User {
        guard try await !store.isTaken(email) else { throw UserError.alreadyExists }
        let hash = try await hasher.hash(password)
        return try await store.insert(NewUser(name: name, email: email, password: hash), at: time.now)
    }

    /// An account, for its owner and for administrators; to anybody else it does not exist.
    ///
    /// - Throws: `UserError.notFound`.
    func show(_ id: UserID, to caller: UserIdentity) async throws -> User {
        guard caller.mayAct(for: id), let user = try await store.user(id) else { throw UserError.notFound }
        return user
    }

    func list(matching search: String?, after last: UserID?, limit: Int) async throws -> Page<User> {
        try await store.users(matching: search, after: last, limit: limit)
    }

    /// - Throws: `UserError.notFound`, `.phoneRequired`.
    func change(_ id: UserID, _ change: ProfileChange) async throws -> User {
        try await store.apply(change, to: id, at: time.now)
    }

    /// Sets a new password, if the present one is known, and ends every session.
    ///
    /// A stolen access token must not be a way to guess the password: a wrong one counts as a failed login.
    ///
    /// - Throws: `UserError.wrongPassword`, `.notFound`, `.tooManyFailures`, `.overloaded`.
    func changePassword(of id: UserID, from current: Password, to new: Password, address: ClientAddress?) async throws {
        guard let credentials = try await store.credentials(of: id) else { throw UserError.notFound }
        let attempt = LoginThrottle.Attempt(account: credentials.user.email.comparisonKey, address: address)
        let isRight = try await throttle.judge(attempt, time) {
            try await hasher.verify(current, against: credentials.password)
        }
        guard isRight else { throw UserError.wrongPassword }
        let hash = try await hasher.hash(new)
        try await store.replacePassword(of: id, credentials.password, by: hash, at: time.now)
    }

    /// Takes everything personal from the account. What others keep of it goes when they hear of it.
    ///
    /// - Throws: `UserError.notFound`.
    func erase(_ id: UserID) async throws {
        try await store.erase(id, at: time.now)
    }
}
