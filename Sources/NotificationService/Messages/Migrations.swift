import ChassisStorage

/// The notification database's history.
enum NotificationMigrations {
    static let all = [
        Migration(
            "001_notifications",
            """
            CREATE TABLE contacts (
                user_id $integer PRIMARY KEY,
                name TEXT NOT NULL,
                email TEXT NOT NULL,
                phone TEXT,
                wants_email $integer NOT NULL CHECK (wants_email IN (0, 1)),
                wants_sms $integer NOT NULL CHECK (wants_sms IN (0, 1)),
                erased $integer NOT NULL DEFAULT 0 CHECK (erased IN (0, 1))
            ) $strict;

            CREATE TABLE notifications (
                id $id,
                cause TEXT NOT NULL UNIQUE,
                user_id $integer NOT NULL,
                kind TEXT NOT NULL,
                model TEXT NOT NULL,
                channel TEXT CHECK (channel IN ('email', 'sms')),
                status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'kept', 'suppressed', 'dead')),
                attempts $integer NOT NULL DEFAULT 0,
                error TEXT,
                created_at $integer NOT NULL,
                sent_at $integer
            ) $strict;
            CREATE INDEX notifications_by_user ON notifications (user_id, id);
            CREATE INDEX notifications_unsent ON notifications (status, id) WHERE status IN ('queued', 'dead');
            """),
        // What waits for nobody goes when it is old: see `NotificationStore.retention`.
        Migration(
            "002_notification_retention",
            "CREATE INDEX notifications_settled ON notifications (created_at) WHERE status IN ('sent', 'kept', 'suppressed');"),
    ]
}
