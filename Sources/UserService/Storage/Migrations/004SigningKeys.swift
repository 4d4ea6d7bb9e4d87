import ChassisStorage

extension UserMigrations {
    /// The private keys that sign access tokens. Whoever can read this table can be anybody: guard the database accordingly.
    static let signingKeys = Migration(
        "users_004_signing_keys",
        """
        CREATE TABLE signing_keys (
            id $id,
            private_key $blob NOT NULL CHECK (length(private_key) = 32),
            created_at $integer NOT NULL,
            active_from $integer NOT NULL
        ) $strict;
        """)
}
