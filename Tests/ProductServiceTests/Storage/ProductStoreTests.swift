import ChassisStorage
import Commerce
import Contracts
import Testing

@testable import ProductService

@Suite("The catalog in the database")
struct ProductStoreTests {
    @Test("a new product is found as it was added, with its first pieces as its first movement")
    func add() async throws {
        let shop = try await TestShop()
        let added = try await shop.add("Lamp", cents: 4990, stock: 7, category: "Home", description: "Bright")
        #expect(try await shop.products.product(added.id) == added)
        #expect(added.version == 1 && added.available == 7)
        let movements = try await shop.products.movements(of: added.id, limit: 10, before: nil).elements
        #expect(movements.map(\.delta) == [7] && movements.map(\.balance) == [7] && movements.map(\.kind) == [.received])
    }

    @Test("a product without pieces has no movement")
    func addWithoutStock() async throws {
        let shop = try await TestShop()
        let added = try await shop.add(stock: 0)
        #expect(try await shop.products.movements(of: added.id, limit: 10, before: nil).elements.isEmpty)
    }

    @Test("a change counts the version up, and one that was meant for an older version changes nothing")
    func change() async throws {
        let shop = try await TestShop()
        let added = try await shop.add("Lamp")
        let changed = try await shop.products.change(added.id, ProductChange(name: "Lantern"), if: .oneOf([1]))
        #expect(changed.version == 2 && changed.details.name == "Lantern")
        await #expect(throws: ProductError.versionMismatch) {
            try await shop.products.change(added.id, ProductChange(name: "Torch"), if: .oneOf([1]))
        }
        #expect(try await shop.products.product(added.id).details.name == "Lantern")
    }

    @Test("an archived product is gone from everywhere, and its orders can still be sold and returned")
    func archive() async throws {
        let shop = try await TestShop()
        let kept = try await shop.add("Lamp")
        let gone = try await shop.add("Lantern")
        _ = try await shop.reserve("r", [(gone.id, 2)])
        await #expect(throws: ProductError.versionMismatch) { try await shop.products.archive(gone.id, if: .oneOf([9])) }
        try await shop.products.archive(gone.id, if: .oneOf([1]))
        await #expect(throws: ProductError.notFound) { try await shop.products.product(gone.id) }
        await #expect(throws: ProductError.notFound) { try await shop.products.archive(gone.id, if: .any) }
        await #expect(throws: ProductError.notFound) { try await shop.products.change(gone.id, ProductChange(name: "x"), if: .any) }
        await #expect(throws: ProductError.notFound) { try await shop.withdraw(1, from: gone.id) }
        await #expect(throws: ProductError.notFound) { try await shop.restock(1, of: gone.id) }
        #expect(try await shop.products.page(CatalogQuery()).elements.map(\.id) == [kept.id])
        #expect(try await shop.products.page(CatalogQuery(search: .init("lantern"))).elements.isEmpty)
        #expect(try await shop.products.categories() == [CategoryCount(name: "Things", count: 1)])
        #expect(try await shop.reserve("s", [(gone.id, 1)]) == .unknownProduct(gone.id))
        try await shop.apply(.orderPaid(order(1)), to: "r")
        try await shop.apply(.orderUndone(order(1)), to: "r")
        #expect(try await shop.products.movements(of: gone.id, limit: 10, before: nil).elements.map(\.delta) == [2, -2, 10])
    }

    @Test("pieces are taken as long as there are free ones, and not one more")
    func withdraw() async throws {
        let shop = try await TestShop()
        let added = try await shop.add(stock: 5)
        _ = try await shop.reserve("r", [(added.id, 2)])
        await #expect(throws: ProductError.insufficientStock(available: 3)) { try await shop.withdraw(4, from: added.id) }
        #expect(try await shop.withdraw(3, from: added.id).available == 0)
        await #expect(throws: ProductError.insufficientStock(available: 0)) { try await shop.withdraw(1, from: added.id) }
        #expect(try await shop.restock(10, of: added.id).available == 10)
        await #expect(throws: ProductError.notFound) { try await shop.withdraw(1, from: product(99)) }
    }

    @Test("movements are listed newest first, page by page")
    func movements() async throws {
        let shop = try await TestShop()
        let added = try await shop.add(stock: 10)
        for _ in 0..<5 { _ = try await shop.withdraw(1, from: added.id) }
        var balances: [Int64] = []
        var cursor: Int64?
        repeat {
            let page = try await shop.products.movements(of: added.id, limit: 2, before: cursor)
            balances += page.elements.map(\.balance)
            cursor = page.nextCursor.flatMap { Int64($0) }
        } while cursor != nil
        #expect(balances == [5, 6, 7, 8, 9, 10])
    }

    @Test("an empty catalog gets the demo products once: Laptop and Phone first")
    func demo() async throws {
        let shop = try await TestShop()
        #expect(try await shop.products.loadDemoCatalog() == 24)
        let first = try await shop.products.page(CatalogQuery(limit: 2)).elements
        #expect(first.map(\.id.rawValue) == [1, 2])
        #expect(first.map(\.details.name) == ["Laptop", "Phone"])
        #expect(first.map(\.details.price.minorUnits) == [999_00, 699_00])
        #expect(first.map(\.available) == [10, 25])
        #expect(try await shop.products.categories().count == 5)
        #expect(try await shop.products.loadDemoCatalog() == 0)
    }

    @Test("a catalog that has products gets no demo products, now or later")
    func noDemo() async throws {
        let shop = try await TestShop()
        let own = try await shop.add()
        #expect(try await shop.products.loadDemoCatalog() == 0)
        try await shop.products.archive(own.id, if: .any)
        #expect(try await shop.products.loadDemoCatalog() == 0)
    }

    @Test("the schema itself refuses what must never be")
    func schema() async throws {
        let shop = try await TestShop()
        try await shop.add()
        let forbidden: [SQL] = [
            "UPDATE products SET on_hand = -1", "UPDATE products SET reserved = -1", "UPDATE products SET reserved = on_hand + 1",
            "UPDATE products SET price = 0",
            "INSERT INTO stock_movements (product_id, kind, delta, balance, at) VALUES (1, 'sale', 0, 1, 1)",
            "INSERT INTO reservations (id, state, expires_at, created_at) VALUES ('r', 'gone', 2, 1)",
        ]
        for statement in forbidden {
            await #expect("\(statement)") {
                try await shop.database.write { _ = try $0.execute(statement) }
            } throws: {
                ($0 as? StorageError)?.isCheckViolation == true
            }
        }
    }
}
