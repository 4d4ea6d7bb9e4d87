import Commerce

/// What a visitor asks of the catalog: which products, in which order, which page.
struct CatalogQuery: Sendable, Hashable {
    var search: Search
    /// Compared without regard to case.
    var category: String?
    var minimumPrice: ComparablePrice?
    var maximumPrice: ComparablePrice?
    /// True: only what can be bought now; false: only what is sold out.
    var inStock: Bool?
    /// Nil: the best matches first when there is a search, else by id.
    var sort: CatalogSort?
    var limit: Int
    var position: CatalogPosition?

    enum Search: Sendable, Hashable {
        case everything
        case terms(SearchTerms)
        /// The text has no word in it: nothing can match.
        case nothing

        init(_ text: String) {
            self = SearchTerms(text).map(Search.terms) ?? .nothing
        }
    }

    init(
        search: Search = .everything, category: String? = nil, minimumPrice: ComparablePrice? = nil, maximumPrice: ComparablePrice? = nil,
        inStock: Bool? = nil, sort: CatalogSort? = nil, limit: Int = PageRequest.defaultLimit, position: CatalogPosition? = nil
    ) {
        self.search = search
        self.category = category
        self.minimumPrice = minimumPrice
        self.maximumPrice = maximumPrice
        self.inStock = inStock
        self.sort = sort
        self.limit = limit
        self.position = position
    }

    /// The order that the query has in the end.
    var order: CatalogOrder {
        if let sort { return .by(sort) }
        guard case .terms = search else { return .by(.id) }
        return .relevance
    }
}

/// The orders that a visitor can name.
enum CatalogSort: String, Sendable, CaseIterable {
    case id, price, name, newest
    case priceDescending = "-price"
}

enum CatalogOrder: Sendable, Hashable {
    case by(CatalogSort)
    case relevance
}

/// A price as filters and sorts compare it: thousandths of a major unit, whatever the currency. No currency has finer minor units.
struct ComparablePrice: Sendable, Hashable {
    let thousandths: Int64

    init(_ price: Money) {
        thousandths = price.minorUnits * (1000 / price.currency.minorUnitsPerMajorUnit)
    }

    /// Reads an amount in major units, such as `19.99`: at most ten digits and at most three decimals. Fails on anything else.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let decimals = parts.count == 2 ? parts[1] : "000"
        guard let whole = parts.first, (1...10).contains(whole.utf8.count), (1...3).contains(decimals.utf8.count) else { return nil }
        let digits = String(whole) + decimals + String(repeating: "0", count: 3 - decimals.utf8.count)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int64(digits) else {
            return nil
        }
        thousandths = value
    }
}
