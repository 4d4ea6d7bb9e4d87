import Chassis
import ChassisEvents

/// What is done again and again: keys are changed, and what has expired is deleted.
struct Housekeeping: Sendable {
    /// Rows per transaction: other writers wait for it.
    private static let batch = 500
    /// Transactions per run; what is left then is for the next.
    private static let batches = 1000

    let store: UserStore
    let keys: SigningKeyRing
    let time: TimeSource

    var handlers: [JobHandler] {
        [
            .every(.seconds(600), name: "rotate-signing-keys") { _ in try await keys.rotate() },
            .every(.seconds(3600), name: "delete-expired-sessions") { _ in
                try await untilNoMore { try await store.deleteExpiredSessions(at: time.now, limit: Self.batch) }
            },
            .every(.seconds(3600), name: "delete-expired-message-tokens") { _ in
                try await untilNoMore { try await store.deleteExpiredMessageTokens(at: time.now, limit: Self.batch) }
            },
        ]
    }

    private func untilNoMore(_ deleteSome: () async throws -> Bool) async throws {
        for _ in 0..<Self.batches {
            guard try await deleteSome() else { return }
        }
    }
}
