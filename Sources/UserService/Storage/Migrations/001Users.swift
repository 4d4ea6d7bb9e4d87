import ChassisStorage

extension UserMigrations {
    /// An erased account keeps its row and id, for orders point at it, but nothing personal: `email_key` is then `erased:ID`, which is
    /// no address, so that the address can be registered again.
    static let users = Migration(
        "users_001_users",
        """
        CREATE TABLE users (
            id $id,
            name TEXT NOT NULL CHECK (length(name) <= 400),
            email TEXT NOT NULL,
            email_key TEXT NOT NULL UNIQUE,
            email_verified_at $integer,
            password TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('customer', 'admin')),
            phone TEXT,
            notify_email $integer NOT NULL CHECK (notify_email IN (0, 1)),
            notify_sms $integer NOT NULL CHECK (notify_sms IN (0, 1)),
            search_text TEXT NOT NULL,
            created_at $integer NOT NULL,
            updated_at $integer NOT NULL,
            last_login_at $integer,
            erased_at $integer,
            CHECK (notify_sms = 0 OR phone IS NOT NULL),
            CHECK (erased_at IS NOT NULL OR (name <> '' AND email <> '')),
            CHECK (erased_at IS NULL OR (name = '' AND email = '' AND phone IS NULL AND password = '' AND search_text = ''))
        ) $strict;
        CREATE INDEX users_administrators ON users (id) WHERE role = 'admin' AND erased_at IS NULL;
        """)
}

/// Every migration of this service ever released, in order.
enum UserMigrations {
    static let all = [users, sessions, messageTokens, signingKeys]
}
