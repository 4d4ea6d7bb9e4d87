import Chassis
import Commerce
import Foundation

/// `POST /api/products`: `{name, price, stock, currency?, description?, category?}`.
struct NewProductBody: JSONBody {
    let product: NewProduct

    init(_ fields: Fields) throws {
        let currency = fields.optionalCurrency("currency") ?? .usd
        let name = fields.text("name", length: ProductDetails.nameLength)
        let price = fields.money("price", currency: currency, in: currency.smallestAmount...Money.largestMajorUnits)
        let stock = fields.integer("stock", in: 0...NewProduct.largestStock)
        let description = fields.optionalString("description", length: ProductDetails.descriptionLength) ?? ""
        let category = fields.optionalText("category", length: ProductDetails.categoryLength) ?? ProductDetails.standardCategory
        let all = try fields.all(name, price, stock)
        product = NewProduct(details: ProductDetails(name: all.0, description: description, category: category, price: all.1), stock: all.2)
    }

    /// What makes two requests the same.
    var fingerprint: [String] {
        let details = product.details
        return [details.name, details.description, details.category, details.price.description, String(product.stock)]
    }
}

/// `PATCH /api/products/{id}`: any of `{name, price, currency, description, category}`. What is absent stays; a null description or
/// category goes back to the standard one (RFC 7396).
struct ProductChangeBody: JSONBody {
    let change: ProductChange

    init(_ fields: Fields) throws {
        for name in ["name", "price", "currency"] where fields.isNull(name) { fields.mistake(name, "must not be null") }
        if fields.has("stock") { fields.mistake("stock", "is changed by …/stock and …/restock, so that every change has its reason") }
        var change = ProductChange()
        change.name = fields.optionalText("name", length: ProductDetails.nameLength)
        change.price = fields.optionalDecimal("price", in: ProductDetails.smallestPrice...Money.largestMajorUnits)
        change.currency = fields.optionalCurrency("currency")
        change.description = fields.optionalString("description", length: ProductDetails.descriptionLength)
        change.category = fields.optionalText("category", length: ProductDetails.categoryLength)
        if fields.isNull("description") { change.description = "" }
        if fields.isNull("category") { change.category = ProductDetails.standardCategory }
        try fields.finish()
        self.change = change
    }
}

/// `PATCH /api/products/{id}/stock`: `{quantity, kind?, reason?}`. Without a kind it is a sale; an adjustment must say why.
struct StockWithdrawalBody: JSONBody {
    let withdrawal: StockWithdrawal

    init(_ fields: Fields) throws {
        let quantity = fields.quantity("quantity")
        let reason = fields.optionalText("reason", length: MovementReason.length)
        let kind = Self.kind(fields)
        if kind == .adjustment, reason == nil, !fields.has("reason") { fields.mistake("reason", "is required for an adjustment") }
        let all = try fields.all(quantity, kind)
        withdrawal = StockWithdrawal(quantity: all.0, kind: all.1, reason: reason)
    }

    private static func kind(_ fields: Fields) -> StockMovement.Kind? {
        guard fields.has("kind"), !fields.isNull("kind") else { return .sale }
        guard let text = fields.string("kind", length: 1...40) else { return nil }
        if let kind = StockMovement.Kind(rawValue: text), kind == .sale || kind == .adjustment { return kind }
        fields.mistake("kind", "must be sale or adjustment")
        return nil
    }

    var fingerprint: [String] { [withdrawal.quantity.description, withdrawal.kind.rawValue, withdrawal.reason ?? ""] }
}

/// `POST /api/products/{id}/restock`: `{quantity, reason}`.
struct RestockBody: JSONBody {
    let restocking: Restocking

    init(_ fields: Fields) throws {
        let quantity = fields.quantity("quantity")
        let reason = fields.text("reason", length: MovementReason.length)
        let all = try fields.all(quantity, reason)
        restocking = Restocking(quantity: all.0, reason: all.1)
    }

    var fingerprint: [String] { [restocking.quantity.description, restocking.reason] }
}

extension Fields {
    /// A text that a person reads: without spaces around it, and more than spaces.
    fileprivate func text(_ name: String, length: ClosedRange<Int>) -> String? {
        string(name, length: length).flatMap { trimmed($0, name) }
    }

    fileprivate func optionalText(_ name: String, length: ClosedRange<Int>) -> String? {
        optionalString(name, length: length).flatMap { trimmed($0, name) }
    }

    private func trimmed(_ text: String, _ name: String) -> String? {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard trimmed.isEmpty else { return trimmed }
        mistake(name, "must not be blank")
        return nil
    }
}

extension Currency {
    /// One minor unit, in major units: the least that something can cost.
    fileprivate var smallestAmount: Decimal { Money(minorUnits: 1, currency: self).majorUnits }
}

extension ProductDetails {
    /// The least in any currency, in major units.
    fileprivate static let smallestPrice = Decimal(sign: .plus, exponent: -3, significand: 1)
}
