import Chassis
import Commerce
import Contracts

/// The body of `POST /api/orders`: `{productId, quantity}` or `{items: [{productId, quantity}], …}`.
extension OrderDraft: JSONBody {
    init(_ fields: Fields) throws {
        let userID = fields.optionalID("userId", of: UserEntity.self)
        let lines = Self.lines(fields)
        let currency = fields.optionalCurrency("currency")
        let paymentMethod = Self.paymentMethod(fields)
        let address = fields.optionalObject("shippingAddress", ShippingAddress.read)
        (self.lines, self.paymentMethod) = try fields.all(lines, paymentMethod)
        self.userID = userID
        self.currency = currency
        self.shippingAddress = address
    }

    private static func lines(_ fields: Fields) -> [ReservationLine]? {
        guard fields.has("items") else { return line(fields).map { [$0] } }
        for name in ["productId", "quantity"] where fields.has(name) { fields.mistake(name, "cannot stand beside items") }
        var seen: Set<ProductID> = []
        return fields.objects("items", count: 1...largestLineCount) { item in
            let line = line(item)
            if let line, !seen.insert(line.productID).inserted { item.mistake("productId", "is in an earlier line already") }
            return line
        }
    }

    private static func line(_ fields: Fields) -> ReservationLine? {
        let productID = fields.id("productId", of: ProductEntity.self)
        let quantity = fields.quantity("quantity")
        guard let productID, let quantity else { return nil }
        return ReservationLine(productID: productID, quantity: quantity)
    }

    private static func paymentMethod(_ fields: Fields) -> String? {
        guard fields.has("paymentMethod"), !fields.isNull("paymentMethod") else { return standardPaymentMethod }
        guard let method = fields.string("paymentMethod", length: 1...64) else { return nil }
        let isToken = method.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isToken else {
            fields.mistake("paymentMethod", "must be a token of lower-case letters, digits and _")
            return nil
        }
        guard !CardNumber.stands(in: method) else {
            fields.mistake("paymentMethod", "must be a token of the payment provider, never the number of a card")
            return nil
        }
        return method
    }
}

extension ShippingAddress {
    fileprivate static func read(_ fields: Fields) -> ShippingAddress? {
        let name = fields.string("name", length: 1...200)
        let line1 = fields.string("line1", length: 1...200)
        let line2 = fields.optionalString("line2", length: 0...200)
        let city = fields.string("city", length: 1...100)
        let postalCode = fields.string("postalCode", length: 1...20)
        let country = fields.string("country", length: 2...2)
        if let country, !country.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) {
            fields.mistake("country", "must be an ISO 3166 code such as DE")
        }
        guard let name, let line1, let city, let postalCode, let country else { return nil }
        return ShippingAddress(name: name, line1: line1, line2: line2, city: city, postalCode: postalCode, country: country)
    }
}
