import Chassis
import Commerce
import Contracts

// What responses say. The password is in none of them.

/// The answer to a registration: the plain reference API's members and no more.
struct RegisteredDocument: Encodable {
    let email: String
    let id: UserID
    let name: String

    init(_ user: User) {
        email = user.email.text
        id = user.id
        name = user.name.text
    }
}

/// A whole profile.
struct UserDocument: Encodable {
    let createdAt: Timestamp
    let email: String
    let emailVerified: Bool
    let id: UserID
    let name: String
    let notifications: NotificationChoices
    /// Left out when there is none.
    let phone: String?
    let role: String

    init(_ user: User) {
        createdAt = user.createdAt
        email = user.email.text
        emailVerified = user.isEmailVerified
        id = user.id
        name = user.name.text
        notifications = user.choices
        phone = user.phone?.text
        role = user.role.rawValue
    }
}

/// The members of OAuth's token response (RFC 6749 section 5.1) in the spelling of this API.
struct SessionDocument: Encodable {
    let accessToken: String
    /// Seconds.
    let expiresIn: Int64
    /// Only a login says it.
    let message: String?
    let refreshToken: String
    let tokenType: String
    let userId: UserID

    init(_ session: Session, message: String? = nil) {
        accessToken = session.accessToken
        expiresIn = session.expiresIn.components.seconds
        self.message = message
        refreshToken = session.refreshToken.text
        tokenType = "Bearer"
        userId = session.user.id
    }
}
