import ChassisEvents
import Commerce
import Contracts

/// Sends a secret to the email of an account. It holds no secret: each attempt makes a new one.
struct SendSecretMessage: Job {
    static let kind = "send-secret-message"

    /// What notification-service knows the message by: the same in every attempt.
    let messageID: String
    let userID: UserID
    let purpose: SecretMessage.Kind
}

/// Looks whether there is an account that somebody wants a new password for.
struct FindAccountToReset: Job {
    static let kind = "find-account-to-reset"

    let email: String
}
