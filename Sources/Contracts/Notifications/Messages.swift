public import Commerce

// What user-service asks of notification-service: `POST /internal/messages`. Only for messages that carry a secret, which no event may.

/// A link or code that a person asked for.
public struct SecretMessage: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case verifyEmail = "verify-email"
        case resetPassword = "reset-password"
    }

    /// Chosen by the caller: the same id is the same message, sent once.
    public let id: String
    public let kind: Kind
    public let userID: UserID
    public let name: String
    public let email: String
    /// What the person types or follows; valid until `expiresAt`, once.
    public let token: String
    public let expiresAt: Timestamp

    public init(id: String, kind: Kind, userID: UserID, name: String, email: String, token: String, expiresAt: Timestamp) {
        self.id = id
        self.kind = kind
        self.userID = userID
        self.name = name
        self.email = email
        self.token = token
        self.expiresAt = expiresAt
    }
}
