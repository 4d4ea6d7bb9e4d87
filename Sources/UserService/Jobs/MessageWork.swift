import Chassis
import ChassisEvents
import Commerce
import Contracts

/// Does the jobs that send secrets.
struct MessageWork: Sendable {
    /// How long a person has to use what was sent.
    static let tokenLifetime: Duration = .seconds(30 * 60)

    let store: UserStore
    let sender: MessageSender
    let time: TimeSource
    let randomness: Randomness

    var handlers: [JobHandler] {
        [
            .handle(SendSecretMessage.self) { job, _ in try await send(job) },
            .handle(FindAccountToReset.self) { job, _ in find(job) },
        ]
    }

    func send(_ job: SendSecretMessage) async throws -> JobOutcome {
        let now = time.now
        let token = OpaqueToken(randomness)
        let expiresAt = now + Self.tokenLifetime
        guard let user = try await store.issueMessageToken(token, job.purpose, for: job.userID, at: now, expires: expiresAt) else {
            return .done
        }
        try await sender.send(
            SecretMessage(
                id: job.messageID, kind: job.purpose, userID: user.id, name: user.name.text, email: user.email.text, token: token.text,
                expiresAt: expiresAt))
        return .done
    }

    func find(_ job: FindAccountToReset) -> JobOutcome {
        guard let email = EmailAddress(job.email) else { return .done }
        return .done { [store, time] in try store.requestPasswordReset(ofAccountWith: email, at: time.now, in: $0) }
    }
}
