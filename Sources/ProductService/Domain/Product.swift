import Commerce

/// Something the shop sells, and how much of it there is.
struct Product: Sendable, Hashable {
    let id: ProductID
    var details: ProductDetails
    /// Pieces on the shelf, those that are promised to somebody included.
    var onHand: Int64
    /// Pieces on the shelf that are promised to an order; never more than `onHand`.
    var reserved: Int64
    /// Counts the changes of `details`, from 1. Sales and restocking do not count: see ``EntityTag``.
    var version: Int64
    let createdAt: Timestamp
    /// When `details` last changed.
    var updatedAt: Timestamp

    /// What can be bought now.
    var available: Int64 { onHand - reserved }
}

/// What an administrator writes about a product.
struct ProductDetails: Sendable, Hashable {
    static let nameLength = 1...200
    static let descriptionLength = 0...4000
    static let categoryLength = 1...60
    /// Where a product belongs whose creator named no category.
    static let standardCategory = "General"

    var name: String
    var description: String
    /// As a person wrote it. Categories that differ only in case are one: see ``CatalogKey``.
    var category: String
    /// Always positive.
    var price: Money

    init(name: String, description: String = "", category: String = Self.standardCategory, price: Money) {
        self.name = name
        self.description = description
        self.category = category
        self.price = price
    }
}

/// A product to be added to the catalog, with its first pieces.
struct NewProduct: Sendable, Hashable {
    /// The most pieces a product can begin with.
    static let largestStock = Quantity.largest

    var details: ProductDetails
    /// In 0…`largestStock`.
    var stock: Int64

    init(details: ProductDetails, stock: Int64) {
        self.details = details
        self.stock = stock
    }
}

/// A category and how many products are in it.
struct CategoryCount: Sendable, Hashable {
    let name: String
    let count: Int64
}
