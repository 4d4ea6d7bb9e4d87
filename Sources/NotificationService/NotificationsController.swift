import Chassis
import ChassisStorage
import Commerce
import Contracts
import Hummingbird

/// What was sent to whom, and the messages that other services ask for.
struct NotificationsController: Controller {
    let notifications: Notifications

    var routes: [Route] {
        [
            .get("/api/notifications", .users, list),
            .post("/api/notifications/{id}/resend", .administrators, resend),
            .post("/internal/messages", .services, accept),
        ]
    }

    private func list(_ call: Call) async throws -> Response {
        let status = try call.query("status").map(NotificationStatus.init(query:))
        return try .page(try await notifications.list(for: try call.user, status: status, try call.pageRequest()), of: call)
    }

    private func resend(_ call: Call) async throws -> Response {
        try await notifications.resend(try call.id(orElse: .notFound("Notification not found")))
        return .accepted
    }

    private func accept(_ call: Call) async throws -> Response {
        try await notifications.accept(try await call.internalBody(SecretMessage.self))
        return .accepted
    }
}

extension NotificationStatus {
    /// The value of `?status=`.
    fileprivate init(query: String) throws(Problem) {
        guard let status = Self(rawValue: query) else {
            throw .invalid("?status", "must be one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = status
    }
}

/// A message as the API shows it, with its words.
struct NotificationView: Encodable {
    let id: NotificationID
    let userId: UserID
    let kind: String
    let channel: String?
    let status: String
    let subject: String
    let text: String
    let html: String
    let attempts: Int
    let error: String?
    let createdAt: Timestamp
    let sentAt: Timestamp?

    init(_ notification: Notification, _ words: Templates.Rendered) {
        id = notification.id
        userId = notification.userID
        kind = notification.kind.rawValue
        channel = notification.channel?.rawValue
        status = notification.status.rawValue
        subject = words.subject
        text = words.text
        html = words.html
        attempts = notification.attempts
        error = notification.error
        createdAt = notification.createdAt
        sentAt = notification.sentAt
    }
}
