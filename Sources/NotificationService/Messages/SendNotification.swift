import ChassisEvents
import ChassisStorage
import Commerce

/// Sends one message.
struct SendNotification: Job {
    static let kind = "send-notification"
    let notificationID: NotificationID
}

/// Sends what is queued, by the channel that the customer wants, once the customer's address is known.
///
/// A mail server that took a message just before a crash gets it again: the message carries the same `Message-ID`, by which a mailbox can
/// tell.
struct NotificationSender: Sendable {
    /// How long a message waits for its customer's address between two looks: users and orders are told of by different feeds.
    private static let addressInterval = Duration.seconds(1)

    let database: Database
    let store: NotificationStore
    let templates: Templates
    let email: EmailSender?
    let sms: SMSSender?

    var handler: JobHandler {
        .handle(SendNotification.self, concurrency: 4, send)
    }

    @Sendable private func send(_ job: SendNotification, _ context: JobContext) async throws -> JobOutcome {
        let found = try await database.read { [store] transaction -> (Notification, Contact?)? in
            guard let notification = try store.notification(job.notificationID, in: transaction) else { return nil }
            return (notification, try store.contact(of: notification.userID, in: transaction))
        }
        guard let (notification, contact) = found, notification.status == .queued else { return .done }
        guard let contact else { return .again(after: Self.addressInterval) }
        let (status, channel) = store.outcome(for: contact, notification.kind)
        guard status == .queued, let channel else {
            return .done { [store] in try store.record(status, channel, of: notification, attempts: 0, in: $0) }
        }
        return try await deliver(notification, to: contact, by: channel, context)
    }

    /// Sends, and says what to write of it. The last failure makes the message dead, for a person to see.
    private func deliver(_ notification: Notification, to contact: Contact, by channel: Channel, _ context: JobContext) async throws
        -> JobOutcome
    {
        let words = templates.render(notification.kind, name: contact.name, model: notification.model)
        do {
            switch channel {
            case .email: try await email?.send(Email(to: contact.email, words: words, notification: notification.id))
            case .sms: try await sms?.send(words.short, to: contact.phone ?? "")
            }
            return .done { [store] in try store.record(.sent, channel, of: notification, attempts: context.attempt, in: $0) }
        } catch {
            guard context.isLastAttempt else { throw error }
            let reason = "\(error)"
            return .dead(reason: reason) { [store] in
                try store.record(.dead, channel, of: notification, attempts: context.attempt, error: reason, in: $0)
            }
        }
    }
}
