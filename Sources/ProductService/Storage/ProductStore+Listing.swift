import ChassisStorage
import Commerce

// The one query behind every list of products.
//
// It is put together from pieces that stand here in full: a source, conditions, an order and the position that the page begins after. The
// position is a comparison of rows, `(price, id) > (…)`, which walks an index from where the last page ended; see `CatalogPosition`.

extension ProductStore {
    /// A page of the products that are for sale.
    func page(_ query: CatalogQuery) async throws -> Page<Product> {
        if query.search == .nothing { return Page(elements: [], nextCursor: nil) }
        let order = query.order
        let statement = Self.statement(for: query, in: database.dialect)
        let rows = try await database.read { transaction in
            try transaction.all(statement) { row in
                Listed(product: try Product(row), rank: order == .relevance ? try row["rank"] : 0)
            }
        }
        return Page(rows: rows, limit: query.limit) { $0.position(in: order).cursor }.map(\.product)
    }

    /// The categories that have products for sale, in alphabetical order, each spelt as its oldest product does.
    ///
    /// It steps from key to key through the index, which a `GROUP BY` would read with a row of the table for each product;
    /// the counts read nothing but the index.
    func categories() async throws -> [CategoryCount] {
        try await database.read { transaction in
            try transaction.all(
                """
                WITH RECURSIVE keys (category_key) AS (
                    SELECT MIN(category_key) FROM products WHERE archived_at IS NULL
                    UNION ALL
                    SELECT (SELECT MIN(p.category_key) FROM products p WHERE p.archived_at IS NULL AND p.category_key > keys.category_key)
                    FROM keys WHERE keys.category_key IS NOT NULL
                )
                SELECT
                    (SELECT p.category FROM products p WHERE p.archived_at IS NULL AND p.category_key = keys.category_key
                        ORDER BY p.id LIMIT 1) AS name,
                    (SELECT count(*) FROM products p WHERE p.archived_at IS NULL AND p.category_key = keys.category_key) AS products
                FROM keys WHERE keys.category_key IS NOT NULL ORDER BY keys.category_key
                """
            ) { CategoryCount(name: try $0["name"], count: try $0["products"]) }
        }
    }

    private struct Listed: Sendable {
        let product: Product
        let rank: Double

        func position(in order: CatalogOrder) -> CatalogPosition {
            let price = ComparablePrice(product.details.price).thousandths
            let key: CatalogPosition.Key =
                switch order {
                case .by(.id): .id
                case .by(.newest): .newest
                case .by(.price): .price(thousandths: price)
                case .by(.priceDescending): .priceDescending(thousandths: price)
                case .by(.name): .name(key: CatalogKey.key(of: product.details.name))
                case .relevance: .relevance(rank: rank)
                }
            return CatalogPosition(key: key, id: product.id)
        }
    }
}

// MARK: - The statement

extension ProductStore {
    static func statement(for query: CatalogQuery, in dialect: Dialect) -> SQL {
        var search: ProductSearch?
        if case .terms(let terms) = query.search { search = ProductSearch(terms, in: dialect) }
        let rank: SQL = search?.rank ?? "0.0"
        var conditions: [SQL] = ["p.archived_at IS NULL"]
        if let search { conditions.append(search.condition) }
        conditions += filters(of: query)
        if let position = query.position { conditions.append(condition(after: position, rank: rank)) }
        return """
            SELECT \(Product.columns), \(rank) AS rank FROM \(search?.source ?? "products p")
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(terms(of: query.order, rank: rank)) LIMIT \(query.limit + 1)
            """
    }

    private static func filters(of query: CatalogQuery) -> [SQL] {
        var filters: [SQL] = []
        if let category = query.category { filters.append("p.category_key = \(CatalogKey.key(of: category))") }
        if let minimum = query.minimumPrice { filters.append("p.price_thousandths >= \(minimum.thousandths)") }
        if let maximum = query.maximumPrice { filters.append("p.price_thousandths <= \(maximum.thousandths)") }
        switch query.inStock {
        case true?: filters.append("p.on_hand > p.reserved")
        case false?: filters.append("p.on_hand = p.reserved")
        case nil: break
        }
        return filters
    }

    private static func terms(of order: CatalogOrder, rank: SQL) -> SQL {
        switch order {
        case .by(.id): "p.id"
        case .by(.newest): "p.id DESC"
        case .by(.price): "p.price_thousandths, p.id"
        case .by(.priceDescending): "p.price_thousandths DESC, p.id DESC"
        case .by(.name): "p.name_key, p.id"
        case .relevance: "\(rank), p.id"
        }
    }

    private static func condition(after position: CatalogPosition, rank: SQL) -> SQL {
        switch position.key {
        case .id: "p.id > \(position.id)"
        case .newest: "p.id < \(position.id)"
        case .price(let thousandths): "(p.price_thousandths, p.id) > (\(thousandths), \(position.id))"
        case .priceDescending(let thousandths): "(p.price_thousandths, p.id) < (\(thousandths), \(position.id))"
        case .name(let key): "(p.name_key, p.id) > (\(key), \(position.id))"
        case .relevance(let value): "(\(rank), p.id) > (\(value), \(position.id))"
        }
    }
}
