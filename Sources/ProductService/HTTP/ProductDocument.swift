import Commerce
import Foundation

/// A product on the wire.
struct ProductDocument: Encodable, Sendable {
    let category: String
    let createdAt: Timestamp
    let currency: Currency
    let description: String
    let id: ProductID
    let name: String
    /// In major units of `currency`.
    let price: Decimal
    /// What can be bought now.
    let stock: Int64
    let updatedAt: Timestamp

    init(_ product: Product) {
        category = product.details.category
        createdAt = product.createdAt
        currency = product.details.price.currency
        description = product.details.description
        id = product.id
        name = product.details.name
        price = product.details.price.majorUnits
        stock = product.available
        updatedAt = product.updatedAt
    }
}

/// A category on the wire.
struct CategoryDocument: Encodable, Sendable {
    let count: Int64
    let name: String

    init(_ category: CategoryCount) {
        count = category.count
        name = category.name
    }
}

/// A movement on the wire.
struct StockMovementDocument: Encodable, Sendable {
    let at: Timestamp
    let balance: Int64
    let delta: Int64
    let id: Int64
    let kind: String
    let orderId: OrderID?
    let productId: ProductID
    let reason: String?

    init(_ movement: StockMovement) {
        at = movement.at
        balance = movement.balance
        delta = movement.delta
        id = movement.id
        kind = movement.kind.rawValue
        orderId = movement.orderID
        productId = movement.productID
        reason = movement.reason
    }
}
