import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts
import Crypto
import Foundation

// The secrets that go by email.
//
// None is stored in the clear, not even in a job. Asking for a message only enqueues a job that names the account and the purpose. The job
// makes a new token each time it is tried, stores its hash, and hands the plaintext to notification-service. When an attempt fails without
// telling whether the message arrived, the next one sends another token under the same message id: whichever the person received is good,
// and using one drops all of its purpose. Thirty minutes count from the attempt, so a message that was long on its way is still of use.

extension UserStore {
    /// How long a person waits before the same kind of message is sent again. It keeps a stranger from filling somebody's mailbox.
    static let messageInterval: Duration = .seconds(60)

    /// Makes a message due, unless one was sent a moment ago or is due already.
    func requestMessage(_ purpose: SecretMessage.Kind, for id: UserID, at now: Timestamp, in transaction: Transaction) throws {
        let recent = try transaction.value(
            """
            SELECT 1 FROM message_tokens
            WHERE user_id = \(id) AND purpose = \(purpose.rawValue) AND created_at > \(now - Self.messageInterval) LIMIT 1
            """, as: Int64.self)
        guard recent == nil else { return }
        let job = SendSecretMessage(messageID: randomness.hex(bytes: 16), userID: id, purpose: purpose)
        try jobs.enqueue(job, key: Self.jobKey("\(purpose.rawValue):\(id)", at: now), in: transaction)
    }

    /// One job per interval. The interval is part of the key, so that a job that has died does not stand in the way of all later ones.
    private static func jobKey(_ subject: String, at now: Timestamp) -> String {
        "\(subject):\(now.millisecondsSinceEpoch / messageInterval.wholeMilliseconds)"
    }

    /// The same in a transaction of its own, for an account that still has something to verify.
    func requestVerification(of id: UserID, at now: Timestamp) async throws {
        try await database.write { transaction in
            let isUnverified = try transaction.value(
                "SELECT 1 FROM users WHERE id = \(id) AND erased_at IS NULL AND email_verified_at IS NULL", as: Int64.self)
            guard isUnverified != nil else { return }
            try requestMessage(.verifyEmail, for: id, at: now, in: transaction)
        }
    }

    /// Notes that somebody asked for a new password for `email`. Whether there is such an account is looked up by the job, so that the
    /// asker waits the same time either way.
    func requestPasswordReset(for email: EmailAddress, at now: Timestamp) async throws {
        let job = FindAccountToReset(email: email.text)
        let key = Self.jobKey(Data(SHA256.hash(data: Data(email.comparisonKey.utf8))).base64EncodedString(), at: now)
        try await database.write { try jobs.enqueue(job, key: key, in: $0) }
    }

    /// The job's half: makes the message due if there is an account.
    func requestPasswordReset(ofAccountWith email: EmailAddress, at now: Timestamp, in transaction: Transaction) throws {
        let id = try transaction.value(
            "SELECT id FROM users WHERE email_key = \(email.comparisonKey) AND erased_at IS NULL", as: UserID.self)
        guard let id else { return }
        try requestMessage(.resetPassword, for: id, at: now, in: transaction)
    }

    /// Stores a token for a message that is about to be sent; nil when the account is gone or needs the message no more.
    func issueMessageToken(
        _ token: OpaqueToken, _ purpose: SecretMessage.Kind, for id: UserID, at now: Timestamp, expires: Timestamp
    ) async throws -> User? {
        try await database.write { transaction in
            let user = try transaction.first("SELECT \(Self.columns) FROM users WHERE id = \(id) AND erased_at IS NULL", Self.user)
            guard let user, purpose != .verifyEmail || !user.isEmailVerified else { return nil }
            try transaction.execute(
                """
                INSERT INTO message_tokens (hash, user_id, purpose, created_at, expires_at)
                VALUES (\(token.hash), \(id), \(purpose.rawValue), \(now), \(expires))
                """)
            return user
        }
    }

    /// Whether `token` would be taken now: asked before the work of hashing a password.
    func isGood(_ token: OpaqueToken, _ purpose: SecretMessage.Kind, at now: Timestamp) async throws -> Bool {
        try await database.read { transaction in
            let query: SQL = """
                SELECT 1 FROM message_tokens WHERE hash = \(token.hash) AND purpose = \(purpose.rawValue) AND expires_at > \(now)
                """
            return try transaction.value(query, as: Int64.self) != nil
        }
    }

    /// Uses the token up and marks the email as verified.
    ///
    /// - Throws: `UserError.invalidMessageToken`.
    func verifyEmail(_ token: OpaqueToken, at now: Timestamp) async throws {
        try await database.write { transaction in
            let id = try Self.consume(token, .verifyEmail, at: now, in: transaction)
            try transaction.execute("UPDATE users SET email_verified_at = \(now) WHERE id = \(id) AND email_verified_at IS NULL")
        }
    }

    /// Uses the token up, sets the password and ends every session. The email is verified by this too: the token came by it.
    ///
    /// - Returns: the account's email, for those who count its failed logins.
    /// - Throws: `UserError.invalidMessageToken`.
    func resetPassword(_ token: OpaqueToken, to password: PasswordHash, at now: Timestamp) async throws -> String {
        try await database.write { transaction in
            let id = try Self.consume(token, .resetPassword, at: now, in: transaction)
            let email = try transaction.value(
                """
                UPDATE users SET password = \(password.text), updated_at = \(now), email_verified_at = COALESCE(email_verified_at, \(now))
                WHERE id = \(id) AND erased_at IS NULL RETURNING email_key
                """, as: String.self)
            guard let email else { throw UserError.invalidMessageToken }
            try Self.revokeFamilies(of: id, at: now, in: transaction)
            return email
        }
    }

    /// Deletes the token, and with it all others of its purpose: a row that is gone cannot be used twice.
    private static func consume(
        _ token: OpaqueToken, _ purpose: SecretMessage.Kind, at now: Timestamp, in transaction: Transaction
    ) throws -> UserID {
        let id = try transaction.value(
            """
            DELETE FROM message_tokens WHERE hash = \(token.hash) AND purpose = \(purpose.rawValue) AND expires_at > \(now)
            RETURNING user_id
            """, as: UserID.self)
        guard let id else { throw UserError.invalidMessageToken }
        try dropMessageTokens(purpose, of: id, in: transaction)
        return id
    }

    static func dropMessageTokens(_ purpose: SecretMessage.Kind, of id: UserID, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM message_tokens WHERE user_id = \(id) AND purpose = \(purpose.rawValue)")
    }

    /// Deletes at most `limit` tokens that have expired, and says whether there may be more.
    static func deleteExpiredMessageTokens(before now: Timestamp, limit: Int, in transaction: Transaction) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM message_tokens WHERE hash IN (
                SELECT hash FROM message_tokens WHERE expires_at < \(now) ORDER BY expires_at LIMIT \(limit))
            """)
    }
}
