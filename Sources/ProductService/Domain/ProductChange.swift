import Commerce
import Foundation

/// A partial change of a product's details: what is nil stays.
struct ProductChange: Sendable, Hashable {
    var name: String?
    var description: String?
    var category: String?
    /// In major units of `currency`, or of the product's own currency when that is nil.
    var price: Decimal?
    var currency: Currency?

    init(
        name: String? = nil, description: String? = nil, category: String? = nil, price: Decimal? = nil, currency: Currency? = nil
    ) {
        self.name = name
        self.description = description
        self.category = category
        self.price = price
        self.currency = currency
    }

    /// The details after this change.
    ///
    /// - Throws: ``ProductError/unusablePrice(_:)`` when the amount is not one of the currency, ``ProductError/priceNotPositive``. A new currency without a new price reads
    ///   the old amount in the new currency, which fails where that has fewer decimals.
    func applied(to details: ProductDetails) throws(ProductError) -> ProductDetails {
        var changed = details
        changed.name = name ?? details.name
        changed.description = description ?? details.description
        changed.category = category ?? details.category
        guard price != nil || currency != nil else { return changed }
        changed.price = try Self.money(price ?? details.price.majorUnits, currency ?? details.price.currency)
        return changed
    }

    private static func money(_ amount: Decimal, _ currency: Currency) throws(ProductError) -> Money {
        let price: Money
        do {
            price = try Money(majorUnits: amount, currency: currency)
        } catch {
            throw .unusablePrice(error)
        }
        guard price.isPositive else { throw .priceNotPositive }
        return price
    }
}

/// Which version of a product a change is meant for: HTTP's `If-Match` (RFC 9110, section 13.1.1).
enum VersionCondition: Sendable, Hashable {
    /// Whatever version it has.
    case any
    /// One of these. None at all never holds.
    case oneOf([Int64])

    func holds(for version: Int64) -> Bool {
        switch self {
        case .any: true
        case .oneOf(let versions): versions.contains(version)
        }
    }
}
