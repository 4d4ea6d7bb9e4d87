import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
package import Foundation
package import HTTPTypes

// The customer's bank in the sandbox. It takes money back, and sometimes gives it back again; the company writes it into its book and tells us by a signed
// notice, again and again until we have taken it. For `tok_chargeback` and `tok_chargeback_won` a durable job plays the bank.

/// A notice, signed and ready to be posted to the webhook.
package struct SignedNotice: Sendable {
    package let headers: HTTPFields
    package let body: Data
}

extension SandboxProvider {
    /// The bank takes back what is left of a charge. Nil when nothing is. Asked again it is the same chargeback.
    package func chargeBack(_ chargeKey: String) async throws -> SignedNotice? {
        let notice = try await database.write { transaction -> SandboxNotice? in
            let key = "chargeback-\(chargeKey)"
            let left = try Self.left(of: chargeKey, in: transaction)
            if left > 0 {
                try transaction.execute(
                    """
                    INSERT INTO sandbox_chargebacks (key, charge_key, amount, currency, reversed)
                    SELECT \(key), key, \(left), currency, 0 FROM sandbox_charges WHERE key = \(chargeKey) ON CONFLICT (key) DO NOTHING
                    """)
            }
            return try Self.notice(.chargedBack, of: key, in: transaction)
        }
        return try notice.map(sign)
    }

    /// The bank gives a chargeback back. Nil when there is none.
    package func reverse(_ chargeKey: String) async throws -> SignedNotice? {
        let notice = try await database.write { transaction -> SandboxNotice? in
            let key = "chargeback-\(chargeKey)"
            try transaction.execute("UPDATE sandbox_chargebacks SET reversed = 1 WHERE key = \(key)")
            return try Self.notice(.reversed, of: key, in: transaction)
        }
        return try notice.map(sign)
    }

    private static func notice(_ kind: SandboxNotice.Kind, of key: String, in transaction: Transaction) throws -> SandboxNotice? {
        try transaction.first("SELECT charge_key, amount, currency FROM sandbox_chargebacks WHERE key = \(key)") { row in
            SandboxNotice(
                kind, chargeback: key, charge: reference(of: try row["charge_key"]), amount: try row["amount"],
                currency: try row["currency"])
        }
    }

    private func sign(_ notice: SandboxNotice) throws -> SignedNotice {
        let body = try JSON.encodedData(notice)
        return SignedNotice(headers: [.contentType: "application/json", .soukSignature: signature.header(for: body)], body: body)
    }
}

/// The bank of a customer who pays by `tok_chargeback` or `tok_chargeback_won`.
struct SandboxBank: Sendable {
    /// Takes back, or gives back, what was charged under a key.
    struct Move: Job {
        static let kind = "sandbox-bank"
        let chargeKey: String
        let reverses: Bool
        /// Whether it will be given back.
        let isWonByShop: Bool
    }

    /// How long a bank takes, in the sandbox.
    static let delay = Duration.seconds(5)

    let sandbox: SandboxProvider
    let notices: ProviderNotices
    let jobs: JobQueue
    let time: TimeSource

    var handler: JobHandler { .handle(Move.self, move) }

    /// Begins with the charge of such a customer.
    @Sendable func begin(_ charge: PaymentProvider.Charge, in transaction: Transaction) throws {
        guard SandboxProvider.chargebackMethods.contains(charge.method) else { return }
        let move = Move(chargeKey: charge.key, reverses: false, isWonByShop: charge.method == "tok_chargeback_won")
        try jobs.enqueue(move, key: charge.key, at: time.now + Self.delay, in: transaction)
    }

    @Sendable private func move(_ move: Move, _ context: JobContext) async throws -> JobOutcome {
        let signed = move.reverses ? try await sandbox.reverse(move.chargeKey) : try await sandbox.chargeBack(move.chargeKey)
        if let signed { try await notices.receive(PaymentProvider.Notice(headers: signed.headers, body: signed.body)) }
        guard signed != nil, move.isWonByShop, !move.reverses else { return .done }
        return .done { [jobs, time] transaction in
            let next = Move(chargeKey: move.chargeKey, reverses: true, isWonByShop: true)
            try jobs.enqueue(next, key: "\(move.chargeKey)-reversal", at: time.now + Self.delay, in: transaction)
        }
    }
}
