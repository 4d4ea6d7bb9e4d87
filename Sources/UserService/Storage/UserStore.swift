import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts

/// Everything this service remembers. A method is one transaction; what others must hear of, or what must be done later, is written in it.
struct UserStore: Sendable {
    let database: Database
    let outbox: Outbox
    let jobs: JobQueue
    let randomness: Randomness
}

/// What a new account begins with.
struct NewUser: Sendable {
    var name: PersonName
    var email: EmailAddress
    var password: PasswordHash
    var role: Role = .customer
    var isEmailVerified = false
}

/// What a login is checked against.
struct Credentials: Sendable {
    let user: User
    let password: PasswordHash
}

// MARK: - Accounts

extension UserStore {
    /// Adds an account and says `UserRegistered`; unless the email is known to be right already, a message to verify it is due.
    ///
    /// - Throws: `UserError.alreadyExists` when another account has the email, in whatever spelling.
    func insert(_ new: NewUser, at now: Timestamp) async throws -> User {
        try await database.write { transaction in
            let inserted = try transaction.first(
                """
                INSERT INTO users (name, email, email_key, email_verified_at, password, role,
                    notify_email, notify_sms, search_text, created_at, updated_at)
                VALUES (\(new.name.text), \(new.email.text), \(new.email.comparisonKey), \(new.isEmailVerified ? now : nil),
                    \(new.password.text), \(new.role.rawValue), \(NotificationChoices.standard.email), \(NotificationChoices.standard.sms),
                    \(Self.searchText(new.name, new.email)), \(now), \(now))
                ON CONFLICT (email_key) DO NOTHING RETURNING \(Self.columns)
                """, Self.user)
            guard let user = inserted else { throw UserError.alreadyExists }
            try outbox.append(UserRegistered(userID: user.id, name: user.name.text, email: user.email.text), in: transaction)
            if !user.isEmailVerified { try requestMessage(.verifyEmail, for: user.id, at: now, in: transaction) }
            return user
        }
    }

    /// The account, unless it is erased or never was.
    func user(_ id: UserID) async throws -> User? {
        try await database.read { try $0.first("SELECT \(Self.columns) FROM users WHERE id = \(id) AND erased_at IS NULL", Self.user) }
    }

    func isTaken(_ email: EmailAddress) async throws -> Bool {
        try await database.read { transaction in
            try transaction.value("SELECT id FROM users WHERE email_key = \(email.comparisonKey)", as: UserID.self) != nil
        }
    }

    func credentials(for email: EmailAddress) async throws -> Credentials? {
        try await database.read { transaction in
            let query: SQL = "SELECT \(Self.columns), password FROM users WHERE email_key = \(email.comparisonKey) AND erased_at IS NULL"
            return try transaction.first(query, Self.credentials)
        }
    }

    func credentials(of id: UserID) async throws -> Credentials? {
        try await database.read { transaction in
            try transaction.first("SELECT \(Self.columns), password FROM users WHERE id = \(id) AND erased_at IS NULL", Self.credentials)
        }
    }

    /// Whether there is anybody who may administer the shop.
    func hasAdministrator() async throws -> Bool {
        try await database.read { transaction in
            try transaction.value("SELECT id FROM users WHERE role = 'admin' AND erased_at IS NULL LIMIT 1", as: UserID.self) != nil
        }
    }

    /// Makes an existing account an administrator's, with this password; whoever was signed in is signed out.
    func promote(_ email: EmailAddress, password: PasswordHash, at now: Timestamp) async throws {
        try await database.write { transaction in
            let id = try transaction.value(
                """
                UPDATE users SET role = 'admin', password = \(password.text), updated_at = \(now)
                WHERE email_key = \(email.comparisonKey) AND erased_at IS NULL RETURNING id
                """, as: UserID.self)
            guard let id else { throw UserError.notFound }
            try Self.revokeFamilies(of: id, at: now, in: transaction)
        }
    }

    /// Accounts in the order of their ids, those whose name or email contains `search` when it is given.
    ///
    /// - Parameter last: the last account of the page before.
    func users(matching search: String?, after last: UserID?, limit: Int) async throws -> Page<User> {
        let after = last?.rawValue ?? 0
        let condition: SQL = search.map { "AND search_text LIKE \(Self.pattern(containing: $0)) ESCAPE '!'" } ?? ""
        let rows = try await database.read { transaction in
            try transaction.all(
                """
                SELECT \(Self.columns) FROM users WHERE id > \(after) AND erased_at IS NULL \(condition)
                ORDER BY id LIMIT \(limit + 1)
                """, Self.user)
        }
        return Page(rows: rows, limit: limit) { $0.id.description }
    }

    private static func pattern(containing text: String) -> String {
        "%" + text.lowercased().replacing(/[!%_]/) { "!" + $0.0 } + "%"
    }
}

// MARK: - Changes

extension UserStore {
    /// Changes a profile and says `UserUpdated`, unless nothing is different afterwards.
    ///
    /// - Throws: `UserError.notFound`; what the change throws.
    func apply(_ change: ProfileChange, to id: UserID, at now: Timestamp) async throws -> User {
        try await database.write { transaction in
            // An update that changes no more than its time first, for it locks the row: two changes at once come one after the other.
            let locked = try transaction.first(
                "UPDATE users SET updated_at = \(now) WHERE id = \(id) AND erased_at IS NULL RETURNING \(Self.columns)", Self.user)
            guard let user = locked else { throw UserError.notFound }
            let changed = try change.applied(to: user)
            guard changed != user else { return user }
            try transaction.execute(
                """
                UPDATE users SET name = \(changed.name.text), phone = \(changed.phone?.text), notify_email = \(changed.choices.email),
                    notify_sms = \(changed.choices.sms), search_text = \(Self.searchText(changed.name, changed.email))
                WHERE id = \(id)
                """)
            try outbox.append(UserUpdated(of: changed), in: transaction)
            return changed
        }
    }

    /// Sets a new password in place of `old`, and ends every session.
    ///
    /// - Throws: `UserError.wrongPassword` when `old` is no longer the password: somebody else has changed it meanwhile.
    func replacePassword(of id: UserID, _ old: PasswordHash, by new: PasswordHash, at now: Timestamp) async throws {
        try await database.write { transaction in
            let changed = try transaction.execute(
                "UPDATE users SET password = \(new.text), updated_at = \(now) WHERE id = \(id) AND password = \(old.text)")
            guard changed == 1 else { throw UserError.wrongPassword }
            try Self.revokeFamilies(of: id, at: now, in: transaction)
            try Self.dropMessageTokens(.resetPassword, of: id, in: transaction)
        }
    }

    /// Takes everything personal from an account, ends its sessions and says `UserErased`. The row and its id stay.
    ///
    /// Events that are in the outbox already keep name and email until the outbox forgets them. Access tokens in circulation stay good for
    /// their quarter of an hour, for an account that is not there any more.
    ///
    /// - Throws: `UserError.notFound`.
    func erase(_ id: UserID, at now: Timestamp) async throws {
        try await database.write { transaction in
            let erased = try transaction.execute(
                """
                UPDATE users SET name = '', email = '', email_key = \("erased:\(id)"), email_verified_at = NULL, password = '',
                    phone = NULL, notify_email = 0, notify_sms = 0, search_text = '', last_login_at = NULL,
                    updated_at = \(now), erased_at = \(now)
                WHERE id = \(id) AND erased_at IS NULL
                """)
            guard erased == 1 else { throw UserError.notFound }
            try transaction.execute("DELETE FROM token_families WHERE user_id = \(id)")
            try transaction.execute("DELETE FROM message_tokens WHERE user_id = \(id)")
            try outbox.append(UserErased(userID: id), in: transaction)
        }
    }
}

extension UserUpdated {
    fileprivate init(of user: User) {
        self.init(userID: user.id, name: user.name.text, email: user.email.text, phone: user.phone?.text, choices: user.choices)
    }
}
