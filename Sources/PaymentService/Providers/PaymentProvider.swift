public import Commerce
public import Foundation
public import HTTPTypes

/// A company that moves money. Every call carries a key: the same key is the same movement, however often it is asked for. What happens
/// without being asked for, the company tells by webhook.
public struct PaymentProvider: Sendable {
    /// A charge of `amount` by `method`.
    public struct Charge: Sendable, Hashable {
        public let key: String
        public let amount: Money
        public let method: String
    }

    public struct Refund: Sendable, Hashable {
        public let key: String
        /// The reference that the charge got.
        public let charge: String
        public let amount: Money
    }

    /// What the provider says for good. Anything else is thrown: it may have moved the money or not, and asking again with the key tells.
    public enum ChargeOutcome: Sendable, Hashable {
        case captured(reference: String)
        /// With a sentence for the customer.
        case declined(reason: String)
    }

    public enum RefundOutcome: Sendable, Hashable {
        case refunded(reference: String)
        /// Nothing went back: so much of the charge is no longer there, because the customer's bank has taken it.
        case refused
    }

    /// A call of our webhook, as it came.
    public struct Notice: Sendable {
        public let headers: HTTPFields
        public let body: Data
    }

    /// What the provider tells of, once under each id.
    public struct Event: Sendable, Hashable {
        public enum Content: Sendable, Hashable {
            /// The customer's bank has taken `amount` of a charge back. Both are the provider's references.
            case chargedBack(chargeback: String, charge: String, amount: Money)
            /// The bank has given back all that this chargeback had taken.
            case chargebackReversed(chargeback: String)
            /// Nothing that matters here.
            case other
        }

        public let id: String
        public let content: Content
    }

    /// Stands in the path of the webhook.
    public let name: String
    public let charge: @Sendable (Charge) async throws -> ChargeOutcome
    public let refund: @Sendable (Refund) async throws -> RefundOutcome
    /// Makes sure that a notice is the provider's own, and reads it. Throws `PaymentProviderError.notGenuine` or `.unreadable`.
    public let read: @Sendable (Notice) throws -> Event

    public init(
        name: String, charge: @escaping @Sendable (Charge) async throws -> ChargeOutcome,
        refund: @escaping @Sendable (Refund) async throws -> RefundOutcome, read: @escaping @Sendable (Notice) throws -> Event
    ) {
        self.name = name
        self.charge = charge
        self.refund = refund
        self.read = read
    }
}

/// Why a provider gave no answer that counts.
public enum PaymentProviderError: Error, Hashable {
    /// It did nothing: it is away, or said to come back.
    case unavailable
    /// It may have done what it was asked.
    case answerLost
    /// It refuses a refund for a chargeback of which its notice is still to come.
    case chargebackUnheard
    /// A notice that is not signed by the provider, or was signed too long ago.
    case notGenuine
    /// A notice that is not what the provider has promised to send.
    case unreadable
}
