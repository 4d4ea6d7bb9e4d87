import Chassis
import ChassisStorage
import Commerce

// The life of a refresh token.
//
// A login begins a family with one token. A token is used once: the refresh that uses it writes the time of use and adds its successor in
// the same transaction. So of a family at most one token is unused, and two tokens in use at the same time can only mean that somebody has
// a copy. Nobody can tell who the thief is; so a used token that is shown again revokes the whole family, and both must log in again
// (RFC 6819 section 5.2.2.3, RFC 9700 section 4.14.2). There is no grace for a client that sends the same request twice.
//
// A crash between the commit and the answer leaves the client with a used token: its next refresh ends the family, and the person logs in
// once more. That is the price of a token that is good for one use.
//
// The mark is set by one conditional UPDATE, whose row count decides who used the token: of two at once exactly one wins.

/// What became of a refresh token that was shown.
enum Rotation: Sendable, Hashable {
    /// The token was good; its successor is stored.
    case rotated(UserIdentity)
    /// The token had been used before: its family is revoked now.
    case reused
    /// Unknown, expired or revoked.
    case refused
}

extension UserStore {
    /// Begins a session of a user whose password has just been verified, and stores `rehashed` in its place when there is one.
    ///
    /// - Throws: `UserError.invalidCredentials` when the password has been changed, or the account erased, since it was verified.
    func beginSession(
        of credentials: Credentials, rehashed: PasswordHash?, token: OpaqueToken, at now: Timestamp, expires: Timestamp
    ) async throws {
        let (id, verified) = (credentials.user.id, credentials.password)
        try await database.write { transaction in
            let found = try transaction.execute(
                """
                UPDATE users SET last_login_at = \(now), password = \((rehashed ?? verified).text)
                WHERE id = \(id) AND password = \(verified.text)
                """)
            guard found == 1 else { throw UserError.invalidCredentials }
            let family = try transaction.value(
                "INSERT INTO token_families (user_id, created_at, expires_at) VALUES (\(id), \(now), \(expires)) RETURNING id",
                as: Int64.self)
            try transaction.execute(
                "INSERT INTO refresh_tokens (hash, family_id, expires_at) VALUES (\(token.hash), \(family), \(expires))")
        }
    }

    /// Uses `token` up and stores `successor` in its place.
    func rotate(_ token: OpaqueToken, to successor: OpaqueToken, at now: Timestamp, expires: Timestamp) async throws -> Rotation {
        try await database.write { transaction in
            let family = try transaction.value(
                """
                UPDATE refresh_tokens SET used_at = \(now) WHERE hash = \(token.hash) AND used_at IS NULL AND expires_at > \(now)
                RETURNING family_id
                """, as: Int64.self)
            guard let family else {
                return try Self.revokeFamily(ofUsed: token, at: now, in: transaction) ? .reused : .refused
            }
            let owner = try transaction.value(
                "UPDATE token_families SET expires_at = \(expires) WHERE id = \(family) AND revoked_at IS NULL RETURNING user_id",
                as: UserID.self)
            guard let owner else { return .refused }
            let identity = try transaction.first("SELECT role FROM users WHERE id = \(owner) AND erased_at IS NULL") { row in
                UserIdentity(id: owner, role: try Self.valid("role", Role(rawValue: try row["role"])))
            }
            guard let identity else { return .refused }
            try transaction.execute(
                "INSERT INTO refresh_tokens (hash, family_id, expires_at) VALUES (\(successor.hash), \(family), \(expires))")
            return .rotated(identity)
        }
    }

    /// Ends the session that `token` is of, if there is one.
    func revokeFamily(of token: OpaqueToken, at now: Timestamp) async throws {
        try await database.write { transaction in
            _ = try transaction.execute(
                """
                UPDATE token_families SET revoked_at = \(now)
                WHERE revoked_at IS NULL AND id = (SELECT family_id FROM refresh_tokens WHERE hash = \(token.hash))
                """)
        }
    }

    /// Whether `token` had been used, and its family was still good until now.
    private static func revokeFamily(ofUsed token: OpaqueToken, at now: Timestamp, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE token_families SET revoked_at = \(now) WHERE revoked_at IS NULL
            AND id = (SELECT family_id FROM refresh_tokens WHERE hash = \(token.hash) AND used_at IS NOT NULL)
            """) == 1
    }

    static func revokeFamilies(of id: UserID, at now: Timestamp, in transaction: Transaction) throws {
        try transaction.execute("UPDATE token_families SET revoked_at = \(now) WHERE user_id = \(id) AND revoked_at IS NULL")
    }

    /// Deletes at most `limit` tokens that have expired, or, once there are none, families. Returns how many went. A used token stays until
    /// then: its reuse must be noticed.
    ///
    /// A family expires with the last of its tokens, so that none is left for the schema to delete with it.
    static func deleteExpiredSessions(before now: Timestamp, limit: Int, in transaction: Transaction) throws -> Int {
        let tokens = try transaction.execute(
            """
            DELETE FROM refresh_tokens WHERE hash IN (
                SELECT hash FROM refresh_tokens WHERE expires_at < \(now) ORDER BY expires_at LIMIT \(limit))
            """)
        guard tokens < limit else { return tokens }
        return try transaction.execute(
            """
            DELETE FROM token_families WHERE id IN (
                SELECT id FROM token_families WHERE expires_at < \(now) ORDER BY expires_at LIMIT \(limit))
            """)
    }
}
