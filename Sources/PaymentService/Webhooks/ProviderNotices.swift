import Chassis
import ChassisStorage
import Logging

// What the provider tells takes effect exactly once, however often and in whatever order it comes: its id is written into `provider_events` in the
// transaction of its effect. What comes too early (of a charge whose answer is still on its way, or of a chargeback before its beginning) is
// refused with "come again", which every provider does for days.

/// Takes the provider's notices.
struct ProviderNotices: Sendable {
    let database: Database
    let store: PaymentStore
    let provider: PaymentProvider
    let logger: Logger

    /// - Throws: `PaymentProviderError`; `PaymentError.notKnownYet` for what is to be told again later.
    func receive(_ notice: PaymentProvider.Notice) async throws {
        let event = try provider.read(notice)
        let isNew = try await database.write { [store, provider] transaction in
            guard try store.admit(event, of: provider.name, in: transaction) else { return false }
            switch event.content {
            case .chargedBack(let chargeback, let charge, let amount):
                try store.chargeBack(amount, of: charge, as: chargeback, in: transaction)
            case .chargebackReversed(let chargeback):
                try store.reverse(chargeback, in: transaction)
            case .other: break
            }
            return true
        }
        logger.info("provider notice", metadata: ["provider": "\(provider.name)", "event": "\(event.id)", "new": "\(isNew)"])
    }
}
