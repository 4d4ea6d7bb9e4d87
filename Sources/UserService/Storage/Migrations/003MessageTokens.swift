import ChassisStorage

extension UserMigrations {
    /// The secrets that go by email: to verify the address, to set a new password. A row is deleted when its token is used.
    static let messageTokens = Migration(
        "users_003_message_tokens",
        """
        CREATE TABLE message_tokens (
            hash $blob PRIMARY KEY CHECK (length(hash) = 32),
            user_id $integer NOT NULL REFERENCES users (id),
            purpose TEXT NOT NULL,
            created_at $integer NOT NULL,
            expires_at $integer NOT NULL
        ) $strict;
        CREATE INDEX message_tokens_by_user ON message_tokens (user_id, purpose);
        CREATE INDEX message_tokens_by_expiry ON message_tokens (expires_at);
        """)
}
