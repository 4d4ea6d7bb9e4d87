import ChassisStorage
import Commerce
import Testing

@testable import ProductService

@Suite("Full-text search")
struct SearchTests {
    private func shop() async throws -> TestShop {
        let shop = try await TestShop()
        try await shop.add("Phone", category: "Electronics", description: "comes with a laptop sleeve")
        try await shop.add("Laptop", category: "Electronics", description: "for work")
        try await shop.add("Café lamp", category: "Home", description: "warm light")
        try await shop.add("Sleeve", category: "Laptop accessories", description: "felt")
        return shop
    }

    private func find(_ text: String, _ shop: TestShop, sort: CatalogSort? = nil) async throws -> [Int64] {
        try await shop.products.page(CatalogQuery(search: .init(text), sort: sort)).elements.map(\.id.rawValue)
    }

    @Test("a match in the name ranks before one in the category, and that before one in the description")
    func ranking() async throws {
        #expect(try await find("laptop", try await shop()) == [2, 4, 1])
    }

    @Test("words match by their beginnings, without regard to case or accents, and all of them must")
    func prefixes() async throws {
        let shop = try await shop()
        #expect(try await Set(find("LAP", shop)) == [1, 2, 4])
        #expect(try await find("cafe la", shop) == [3])
        #expect(try await find("laptop elec work", shop) == [2])
        #expect(try await find("laptop zebra", shop) == [])
        #expect(try await find("aptop", shop) == [])
    }

    @Test("a search can have any order and filters")
    func combined() async throws {
        let shop = try await shop()
        #expect(try await find("lap", shop, sort: .newest) == [4, 2, 1])
        let query = CatalogQuery(search: .init("lap"), category: "electronics")
        #expect(try await shop.products.page(query).elements.map(\.id.rawValue) == [2, 1])
    }

    @Test("matches are walked page by page in the order of their rank")
    func paging() async throws {
        let shop = try await TestShop()
        for number in 0..<25 {
            try await shop.add("lamp \(number)", description: String(repeating: "lamp ", count: number % 4))
        }
        var query = CatalogQuery(search: .init("lamp"), limit: 4)
        let all = try await shop.products.page(CatalogQuery(search: .init("lamp"))).elements.map(\.id)
        var seen: [ProductID] = []
        while true {
            let page = try await shop.products.page(query)
            seen += page.elements.map(\.id)
            guard let cursor = page.nextCursor else { break }
            let position = try #require(CatalogPosition(cursor: cursor))
            query.position = position
        }
        #expect(seen == all && all.count == 25)
    }

    @Test("the index follows changes of the text")
    func changes() async throws {
        let shop = try await shop()
        _ = try await shop.products.change(product(2), ProductChange(name: "Notebook", description: "paperless"), if: .any)
        #expect(try await find("notebook", shop) == [2])
        #expect(try await find("laptop work", shop) == [])
        try await shop.database.write { try $0.execute("INSERT INTO products_search (products_search) VALUES ('integrity-check')") }
    }

    @Test("nothing that can be typed breaks a search", arguments: hostileTexts)
    func hostile(text: String) async throws {
        let shop = try await shop()
        _ = try await find(text, shop)
        #expect(try await shop.products.page(CatalogQuery()).elements.count == 4)
    }

    @Test("text without a word finds nothing, rather than everything")
    func nothing() async throws {
        #expect(try await find("!!!", try await shop()) == [])
    }

    @Test("on Postgres the same query is a tsquery of bound, quoted prefixes")
    func postgres() throws {
        let terms = try #require(SearchTerms("Red shoe's"))
        #expect(ProductSearch.prefixQuery(terms) == "'red':* & 'shoe':* & 's':*")
        let statement = ProductStore.statement(for: CatalogQuery(search: .terms(terms)), in: .postgres)
        #expect(statement.description.contains("p.search @@ to_tsquery('simple', ?)"))
        #expect(!statement.description.contains("red"))
    }
}
