import Chassis
import Commerce
import Foundation
package import HTTPTypes

/// What the sandbox tells by webhook, in its own words.
struct SandboxNotice: Codable, Sendable, Hashable {
    enum Kind: String, Codable, Sendable {
        case chargedBack = "chargeback.created"
        case reversed = "chargeback.reversed"
    }

    /// Once for each thing that happens.
    let id: String
    /// A word that this version of us does not know is none of our business.
    let type: String
    let chargeback: String
    let charge: String
    /// In minor units.
    let amount: Int64
    let currency: String

    /// - Throws: `PaymentProviderError.unreadable`.
    init(_ body: Data) throws {
        do {
            self = try JSON.decode(Self.self, from: body)
        } catch {
            throw PaymentProviderError.unreadable
        }
    }

    init(_ kind: Kind, chargeback: String, charge: String, amount: Int64, currency: String) {
        id = "\(chargeback)-\(kind == .chargedBack ? "created" : "reversed")"
        type = kind.rawValue
        self.chargeback = chargeback
        self.charge = charge
        self.amount = amount
        self.currency = currency
    }

    /// - Throws: `PaymentProviderError.unreadable`.
    func event() throws -> PaymentProvider.Event {
        guard let currency = Currency(code: currency), amount > 0, !id.isEmpty else { throw PaymentProviderError.unreadable }
        let content: PaymentProvider.Event.Content =
            switch Kind(rawValue: type) {
            case .chargedBack:
                .chargedBack(chargeback: chargeback, charge: charge, amount: Money(minorUnits: amount, currency: currency))
            case .reversed: .chargebackReversed(chargeback: chargeback)
            case nil: .other
            }
        return PaymentProvider.Event(id: id, content: content)
    }
}

extension HTTPField.Name {
    /// See `WebhookSignature`.
    package static var soukSignature: HTTPField.Name {
        guard let name = HTTPField.Name("Souk-Signature") else { preconditionFailure("a constant name is valid") }
        return name
    }
}
