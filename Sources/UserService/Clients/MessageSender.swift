import Chassis
import Contracts

/// What this service needs of whoever sends messages: that a secret gets to a person, once per message id.
struct MessageSender: Sendable {
    let send: @Sendable (SecretMessage) async throws -> Void

    /// notification-service, which takes a message id it knows already as sent.
    static func notifications(_ client: ServiceClient) -> MessageSender {
        MessageSender { message in
            _ = try await client.post("/internal/messages", body: message, idempotent: true, as: NoReply.self)
        }
    }
}
