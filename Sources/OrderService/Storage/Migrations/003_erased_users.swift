import ChassisStorage

extension OrderMigrations {
    /// Whose account is gone: an id and nothing personal. It stays, for an administrator may order for anybody at any time.
    static let erasedUsers = Migration(
        "003_erased_users",
        """
        CREATE TABLE erased_users (
            user_id $integer PRIMARY KEY,
            erased_at $integer NOT NULL
        ) $strict;
        """)
}
