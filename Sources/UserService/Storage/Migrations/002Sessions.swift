import ChassisStorage

extension UserMigrations {
    /// A login begins a family; each refresh uses one token of it up and adds the next.
    static let sessions = Migration(
        "users_002_sessions",
        """
        CREATE TABLE token_families (
            id $id,
            user_id $integer NOT NULL REFERENCES users (id),
            created_at $integer NOT NULL,
            expires_at $integer NOT NULL,
            revoked_at $integer
        ) $strict;
        CREATE INDEX token_families_live ON token_families (user_id) WHERE revoked_at IS NULL;
        CREATE INDEX token_families_by_expiry ON token_families (expires_at);
        CREATE TABLE refresh_tokens (
            hash $blob PRIMARY KEY CHECK (length(hash) = 32),
            family_id $integer NOT NULL REFERENCES token_families (id) ON DELETE CASCADE,
            expires_at $integer NOT NULL,
            used_at $integer
        ) $strict;
        CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
        CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
        """)
}
