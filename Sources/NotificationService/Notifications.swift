import Chassis
import ChassisStorage
import Commerce
import Contracts

/// What can be asked about messages and done with them, with the rules of who may.
struct Notifications: Sendable {
    let database: Database
    let store: NotificationStore
    let templates: Templates

    /// A customer's own messages, or everybody's for an administrator; newest first.
    func list(for user: UserIdentity, status: NotificationStatus?, _ page: PageRequest) async throws -> Page<NotificationView> {
        let owner = user.isAdministrator ? nil : user.id
        let before = try page.cursor.map(Self.cursor)
        let found = try await database.read { [store] transaction in
            let rows = try store.notifications(of: owner, status: status, before: before, limit: page.limit + 1, in: transaction)
            let contacts = try Set(rows.map(\.userID)).compactMap { try store.contact(of: $0, in: transaction) }
            return (rows, Dictionary(uniqueKeysWithValues: contacts.map { ($0.userID, $0.name) }))
        }
        return Page(rows: found.0, limit: page.limit) { "\($0.id)" }.map { notification in
            let model = notification.showsModel(to: user.id) ? notification.model : [:]
            return NotificationView(
                notification, templates.render(notification.kind, name: found.1[notification.userID] ?? "", model: model))
        }
    }

    /// Sends a message again. One that waits to be sent goes on waiting; one whose secret is forgotten would say nothing.
    func resend(_ id: NotificationID) async throws {
        try await database.write { [store] transaction in
            guard let notification = try store.notification(id, in: transaction) else { throw Problem.notFound("Notification not found") }
            guard !notification.isForgotten else {
                throw Problem.conflict("secret-forgotten", "The message's code is no longer known: ask for a new one")
            }
            if notification.status != .queued { try store.resend(id, in: transaction) }
        }
    }

    /// Takes a message that another service asks for. Taking it twice is taking it once.
    func accept(_ message: SecretMessage) async throws {
        let kind: MessageKind = message.kind == .verifyEmail ? .verifyEmail : .resetPassword
        let model = ["token": message.token, "expiresAt": message.expiresAt.description]
        try await database.write { [store] transaction in
            try store.introduce(message, in: transaction)
            try store.add(kind, to: message.userID, cause: "message-\(message.id)", model: model, in: transaction)
        }
    }

    private static func cursor(_ text: String) throws(Problem) -> Int64 {
        guard let id = NotificationID(text) else { throw .invalid("?cursor", "is not one of this list's") }
        return id.rawValue
    }
}

extension NotificationStore {
    /// A message may come before the feed has told of its user: then it brings the address along.
    fileprivate func introduce(_ message: SecretMessage, in transaction: Transaction) throws {
        guard try contact(of: message.userID, in: transaction) == nil else { return }
        try save(
            Contact(userID: message.userID, name: message.name, email: message.email, phone: nil, wantsEmail: true, wantsSMS: false),
            in: transaction)
    }
}
