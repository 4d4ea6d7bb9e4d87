import Chassis
import Commerce
import Logging

/// What a person holds while signed in.
struct Session: Sendable {
    let user: UserIdentity
    let accessToken: String
    /// How long the access token is good.
    let expiresIn: Duration
    let refreshToken: OpaqueToken
}

/// Signing in, staying so, and signing out.
struct Sessions: Sendable {
    static let refreshTokenLifetime: Duration = .seconds(30 * 24 * 3600)

    let store: UserStore
    let hasher: PasswordHasher
    let throttle: LoginThrottle
    let keys: SigningKeyRing
    let time: TimeSource
    let randomness: Randomness

    /// Begins a session.
    ///
    /// The work is the same whether there is such an account or not: one look-up, one hash. Only who gives the right password is answered
    /// by more. A hash that was made at another cost is made anew while the password is at hand.
    ///
    /// - Parameter account: what was typed as email; what is no address is nobody's.
    /// - Throws: `UserError.invalidCredentials`, `.tooManyFailures`, `.overloaded`.
    func logIn(account: String, password: Password, address: ClientAddress?) async throws -> Session {
        let email = EmailAddress(account)
        let attempt = LoginThrottle.Attempt(account: email?.comparisonKey ?? account.lowercased(), address: address)
        var credentials: Credentials?
        let isRight = try await throttle.judge(attempt, time) {
            if let email { credentials = try await store.credentials(for: email) }
            return try await hasher.verify(password, against: credentials?.password)
        }
        guard isRight, let credentials else { throw UserError.invalidCredentials }
        let rehashed = hasher.isOutdated(credentials.password) ? try await hasher.hash(password) : nil
        let (token, now) = (OpaqueToken(randomness), time.now)
        try await store.beginSession(
            of: credentials, rehashed: rehashed, token: token, at: now, expires: now + Self.refreshTokenLifetime)
        return try await session(of: credentials.user.identity, token)
    }

    /// A new pair of tokens for a refresh token that is used up by this.
    ///
    /// - Throws: `UserError.invalidRefreshToken`; if the token had been used before, its family is revoked, and `logger` hears of it.
    func refresh(_ token: OpaqueToken, logger: Logger) async throws -> Session {
        let (successor, now) = (OpaqueToken(randomness), time.now)
        switch try await store.rotate(token, to: successor, at: now, expires: now + Self.refreshTokenLifetime) {
        case .rotated(let user):
            return try await session(of: user, successor)
        case .reused:
            logger.warning("a refresh token was used twice: its family is revoked")
            throw UserError.invalidRefreshToken
        case .refused:
            throw UserError.invalidRefreshToken
        }
    }

    /// Ends the session of a refresh token. A token that nobody knows is no session, and so has ended (RFC 7009 section 2.2).
    func logOut(_ token: OpaqueToken) async throws {
        try await store.revokeFamily(of: token, at: time.now)
    }

    private func session(of user: UserIdentity, _ refreshToken: OpaqueToken) async throws -> Session {
        let signer = try await keys.signer()
        return Session(user: user, accessToken: try signer.token(for: user), expiresIn: signer.lifetime, refreshToken: refreshToken)
    }
}

extension LoginThrottle {
    /// Checks a password under the throttle: refuses, or waits as long as it must and lets `check` judge.
    ///
    /// - Throws: `UserError.tooManyFailures`; what `check` throws, and then the attempt has not happened.
    func judge(_ attempt: Attempt, _ time: TimeSource, _ check: () async throws -> Bool) async throws -> Bool {
        switch admit(attempt) {
        case .refused(let retryAfter): throw UserError.tooManyFailures(retryAfter: retryAfter)
        case .admitted(let delay):
            do {
                if delay > .zero { try await time.sleep(for: delay) }
                let isRight = try await check()
                if isRight { succeeded(attempt) }
                return isRight
            } catch {
                withdraw(attempt)
                throw error
            }
        }
    }
}
