public import Commerce

/// A company that moves money. Every call carries a key: the same key is the same movement, however often it is asked for.
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

    public let name: String
    public let charge: @Sendable (Charge) async throws -> ChargeOutcome
    /// Returns the provider's reference of the refund.
    public let refund: @Sendable (Refund) async throws -> String

    public init(
        name: String, charge: @escaping @Sendable (Charge) async throws -> ChargeOutcome,
        refund: @escaping @Sendable (Refund) async throws -> String
    ) {
        self.name = name
        self.charge = charge
        self.refund = refund
    }
}

/// Why a provider gave no answer that counts.
public enum PaymentProviderError: Error, Hashable {
    /// It did nothing: it is away, or said to come back.
    case unavailable
    /// It may have done what it was asked.
    case answerLost
}
