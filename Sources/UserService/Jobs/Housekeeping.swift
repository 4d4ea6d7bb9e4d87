import Chassis
import ChassisEvents

/// What is done again and again: keys are changed, and what has expired is deleted.
struct Housekeeping: Sendable {
    let keys: SigningKeyRing

    var handlers: [JobHandler] {
        [.every(.seconds(600), name: "rotate-signing-keys") { _ in try await keys.rotate() }]
    }

    /// Every row says itself when it has expired, and is of no use from then on.
    static let retentions = [
        Retention("delete-expired-sessions", keeping: .zero) { try UserStore.deleteExpiredSessions(before: $0, limit: $1, in: $2) },
        Retention("delete-expired-message-tokens", keeping: .zero) { cutoff, limit, transaction in
            try UserStore.deleteExpiredMessageTokens(before: cutoff, limit: limit, in: transaction)
        },
    ]
}
