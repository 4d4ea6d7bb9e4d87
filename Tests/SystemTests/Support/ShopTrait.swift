import ChassisTesting
import Testing

/// Gives a suite one running shop, `SystemShop.current`, for the length of all its tests.
struct ShopTrait: SuiteTrait, TestScoping {
    let customers: Int

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void) async throws
    {
        let shop = try SystemShop()
        do {
            try await shop.open(customers: customers)
            try await SystemShop.$current.withValue(shop) { try await function() }
        } catch {
            await shop.close()
            throw error
        }
        await shop.close()
    }
}

extension Trait where Self == ShopTrait {
    static func shop(customers: Int = 1) -> Self { ShopTrait(customers: customers) }
}

extension Trait where Self == IssueHandlingTrait {
    /// Prints the ends of the shop's logs when something failed.
    static var logsOnFailure: Self {
        .compactMapIssues { issue in
            SystemShop.current?.noteFailure()
            return issue
        }
    }
}

/// What every suite here starts from: its shop and its people.
protocol ShopSuite {}

extension ShopSuite {
    var shop: SystemShop { SystemShop.current! }
    var client: TestClient { shop.client }
    var administrator: TestCaller { shop.administrator }
    var customer: SystemShop.Customer { shop.customers[0] }
}
