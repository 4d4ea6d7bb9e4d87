import Chassis
import ChassisEvents
import ChassisStorage
import Commerce

// One event gives one message: a message carries its cause (the event's id, or the id that the asking service chose), which is unique, so
// that an event seen twice adds nothing. A message is a kind and a few values; its words are made when it is sent or shown, so that the
// database holds no copies of a customer's name beside the contact itself, and erasing the contact erases the customer from all messages.

/// Reads and writes contacts and messages. Its functions run inside a transaction that the caller owns.
struct NotificationStore: Sendable {
    let jobs: JobQueue
    let now: @Sendable () -> Timestamp
    /// Whether anything is set up to send by this channel. Without, messages lie in the development inbox.
    let canSend: @Sendable (Channel) -> Bool

    // MARK: Contacts

    func save(_ contact: Contact, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO contacts (user_id, name, email, phone, wants_email, wants_sms) VALUES (
                \(contact.userID), \(contact.name), \(contact.email), \(contact.phone), \(contact.wantsEmail), \(contact.wantsSMS)
            ) ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, email = excluded.email, phone = excluded.phone,
                wants_email = excluded.wants_email, wants_sms = excluded.wants_sms WHERE contacts.erased = 0
            """)
    }

    /// Forgets who this was. The mark stays, so that messages still to come are suppressed and not kept waiting for an address.
    func erase(_ user: UserID, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO contacts (user_id, name, email, wants_email, wants_sms, erased) VALUES (\(user), '', '', 0, 0, 1)
            ON CONFLICT (user_id) DO UPDATE SET name = '', email = '', phone = NULL, wants_email = 0, wants_sms = 0, erased = 1
            """)
        try transaction.execute("UPDATE notifications SET model = '{}' WHERE user_id = \(user)")
    }

    func contact(of user: UserID, in transaction: Transaction) throws -> Contact? {
        try transaction.first("SELECT user_id, name, email, phone, wants_email, wants_sms FROM contacts WHERE user_id = \(user)") { row in
            Contact(
                userID: try row["user_id"], name: try row["name"], email: try row["email"], phone: try row["phone"],
                wantsEmail: try row["wants_email"], wantsSMS: try row["wants_sms"])
        }
    }

    // MARK: Messages

    /// Adds the message of `cause`, once, and sees to its sending.
    func add(
        _ kind: MessageKind, to user: UserID, cause: String, model: [String: String], in transaction: Transaction
    ) throws {
        let contact = try contact(of: user, in: transaction)
        let (status, channel) = outcome(for: contact, kind)
        let id: Int64? = try transaction.value(
            """
            INSERT INTO notifications (cause, user_id, kind, model, channel, status, created_at) VALUES (
                \(cause), \(user), \(kind), \(try JSON.text(model)), \(channel), \(status), \(now())
            ) ON CONFLICT (cause) DO NOTHING RETURNING id
            """)
        guard status == .queued, let id, let notification = NotificationID(rawValue: id) else { return }
        try jobs.enqueue(SendNotification(notificationID: notification), key: "\(notification)", in: transaction)
    }

    /// What can be said of a message before anything is sent.
    func outcome(for contact: Contact?, _ kind: MessageKind) -> (NotificationStatus, Channel?) {
        guard let contact else { return (.queued, nil) }
        guard let channel = contact.channel(for: kind) else { return (.suppressed, nil) }
        return (canSend(channel) ? .queued : .kept, channel)
    }

    func notification(_ id: NotificationID, in transaction: Transaction) throws -> Notification? {
        try transaction.first("SELECT \(Self.columns) FROM notifications WHERE id = \(id)", Self.notification)
    }

    /// Newest first, from before `cursor`.
    func notifications(
        of user: UserID?, status: NotificationStatus?, before cursor: Int64?, limit: Int, in transaction: Transaction
    ) throws -> [Notification] {
        var query: SQL = "SELECT \(Self.columns) FROM notifications WHERE id < \(cursor ?? Int64.max)"
        if let user { query = query + " AND user_id = \(user)" }
        if let status { query = query + " AND status = \(status)" }
        return try transaction.all(query + " ORDER BY id DESC LIMIT \(limit)", Self.notification)
    }

    /// Writes what became of a message. A secret is forgotten once it is sent.
    func record(
        _ status: NotificationStatus, _ channel: Channel?, of notification: Notification, attempts: Int, error: String? = nil,
        in transaction: Transaction
    ) throws {
        let sentAt: Timestamp? = status == .sent ? now() : nil
        try transaction.execute(
            """
            UPDATE notifications SET status = \(status), channel = \(channel), attempts = \(attempts), error = \(error), sent_at = \(sentAt)
            WHERE id = \(notification.id)
            """)
        if status == .sent, notification.kind.carriesSecret {
            try transaction.execute("UPDATE notifications SET model = '{}' WHERE id = \(notification.id)")
        }
    }

    /// Messages go when they are old. Those that are still to be sent stay, and those that could not be, for a person to look at.
    ///
    /// An event that is told again after that would give its message again. None is: events are kept for less long than messages.
    static func retention(keeping age: Duration) -> Retention {
        Retention("notification-retention", keeping: age) { cutoff, limit, transaction in
            try transaction.execute(
                """
                DELETE FROM notifications WHERE id IN (
                    SELECT id FROM notifications WHERE status IN ('sent', 'kept', 'suppressed') AND created_at < \(cutoff)
                    ORDER BY created_at LIMIT \(limit))
                """)
        }
    }

    /// Queues a message again, by a job of its own: that of the first time may lie dead under its key.
    func resend(_ id: NotificationID, in transaction: Transaction) throws {
        try transaction.execute("UPDATE notifications SET status = \(NotificationStatus.queued), error = NULL WHERE id = \(id)")
        try jobs.enqueue(SendNotification(notificationID: id), key: "\(id)-again-\(now().millisecondsSinceEpoch)", in: transaction)
    }
}

// MARK: - Rows

extension NotificationStore {
    private static let columns: SQL = "id, user_id, kind, model, channel, status, attempts, error, created_at, sent_at"

    private static func notification(_ row: Row) throws -> Notification {
        let model: String = try row["model"]
        return Notification(
            id: try row["id"], userID: try row["user_id"], kind: try row["kind"],
            model: try JSON.decode([String: String].self, from: model), channel: try row["channel"],
            status: try row["status"], attempts: try row["attempts"], error: try row["error"], createdAt: try row["created_at"],
            sentAt: try row["sent_at"])
    }
}
