import Commerce
import Testing

@testable import ProductService

@Suite("Lists of products")
struct ListingTests {
    /// Goes through all pages and gives the products in the order they came.
    private func walk(_ shop: TestShop, _ query: CatalogQuery, between: (Int) async throws -> Void = { _ in }) async throws -> [Product] {
        var query = query
        var seen: [Product] = []
        for step in 0..<100 {
            let page = try await shop.products.page(query)
            seen += page.elements
            guard let cursor = page.nextCursor else { return seen }
            let position = try #require(CatalogPosition(cursor: cursor))
            query.position = position
            try await between(step)
        }
        Issue.record("the list does not end")
        return seen
    }

    private func filledShop() async throws -> TestShop {
        let shop = try await TestShop()
        for (index, name) in ["delta", "Alpha", "charlie", "Bravo", "écho", "alpha"].enumerated() {
            try await shop.add(
                name, cents: Int64([300, 100, 200, 200, 100, 500][index]), stock: Int64(index % 2), category: index < 3 ? "One" : "TWO")
        }
        return shop
    }

    @Test(
        "every order is walked page by page without loss or repetition",
        arguments: [
            (CatalogSort.id, [1, 2, 3, 4, 5, 6]), (.newest, [6, 5, 4, 3, 2, 1]), (.price, [2, 5, 3, 4, 1, 6]),
            (.priceDescending, [6, 1, 4, 3, 5, 2]), (.name, [2, 6, 4, 3, 1, 5]),
        ] as [(CatalogSort, [Int64])])
    func orders(sort: CatalogSort, expected: [Int64]) async throws {
        let shop = try await filledShop()
        for limit in 1...7 {
            #expect(try await walk(shop, CatalogQuery(sort: sort, limit: limit)).map(\.id.rawValue) == expected)
        }
    }

    @Test("products that come and go between two pages make nobody miss or see another twice", arguments: CatalogSort.allCases)
    func stability(sort: CatalogSort) async throws {
        let shop = try await TestShop()
        for number in 0..<20 { try await shop.add("thing \(number % 7)", cents: Int64(100 + number % 5)) }
        let before = Set(try await walk(shop, CatalogQuery(sort: sort)).map(\.id))
        let seen = try await walk(shop, CatalogQuery(sort: sort, limit: 3)) { step in
            try await shop.add("thing \(step)", cents: Int64(100 + step))
            try await shop.products.archive(product(Int64(step + 1)), if: .any)
        }
        let stayed = before.subtracting((1...20).prefix(7).compactMap { ProductID(rawValue: $0) })
        #expect(Set(seen.map(\.id)).count == seen.count)
        #expect(stayed.isSubset(of: seen.map(\.id)))
    }

    @Test("filters: category without regard to case, prices with both ends included, what is in stock and what is not")
    func filters() async throws {
        let shop = try await filledShop()
        func ids(_ query: CatalogQuery) async throws -> [Int64] { try await shop.products.page(query).elements.map(\.id.rawValue) }
        #expect(try await ids(CatalogQuery(category: "two")) == [4, 5, 6])
        #expect(try await ids(CatalogQuery(category: "nowhere")) == [])
        #expect(try await ids(CatalogQuery(minimumPrice: ComparablePrice("2"), maximumPrice: ComparablePrice("3"))) == [1, 3, 4])
        #expect(try await ids(CatalogQuery(inStock: true)) == [2, 4, 6])
        #expect(try await ids(CatalogQuery(inStock: false)) == [1, 3, 5])
        #expect(try await ids(CatalogQuery(category: "ONE", minimumPrice: ComparablePrice("2"), inStock: false)) == [1, 3])
    }

    @Test("what is reserved is not in stock")
    func reservedIsNotInStock() async throws {
        let shop = try await TestShop()
        let added = try await shop.add(stock: 2)
        _ = try await shop.reserve("r", [(added.id, 2)])
        #expect(try await shop.products.page(CatalogQuery(inStock: true)).elements.isEmpty)
        #expect(try await shop.products.page(CatalogQuery()).elements.map(\.available) == [0])
    }

    @Test("categories are counted without regard to case")
    func categories() async throws {
        let shop = try await TestShop()
        for category in ["Books", "books", "Art"] { try await shop.add(category: category) }
        #expect(try await shop.products.categories() == [CategoryCount(name: "Art", count: 1), CategoryCount(name: "Books", count: 2)])
    }
}
