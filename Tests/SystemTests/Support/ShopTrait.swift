import ChassisTesting
import Contracts
import Testing

/// Gives a suite one running shop, `SystemShop.current`, for the length of all its tests.
struct ShopTrait: SuiteTrait, TestScoping {
    let customers: Int
    let disks: [ServiceName]

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void) async throws
    {
        let shop = try SystemShop(disks: disks)
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
    /// - Parameter disks: services whose database is on a small disk of its own.
    static func shop(customers: Int = 1, disks: [ServiceName] = []) -> Self { ShopTrait(customers: customers, disks: disks) }
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
