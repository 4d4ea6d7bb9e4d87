import Commerce
import Foundation
import Testing

@testable import ProductService

@Suite("Changing a product")
struct ProductChangeTests {
    private let details = ProductDetails(
        name: "Lamp", description: "Bright", category: "Home", price: Money(minorUnits: 4990, currency: .usd))

    @Test("what a change does not name stays")
    func partial() throws {
        #expect(try ProductChange().applied(to: details) == details)
        let renamed = try ProductChange(name: "Lantern").applied(to: details)
        #expect(renamed.name == "Lantern" && renamed.price == details.price && renamed.description == "Bright")
    }

    @Test("a price without a currency is in the product's own")
    func price() throws {
        #expect(try ProductChange(price: 12.5).applied(to: details).price == Money(minorUnits: 1250, currency: .usd))
    }

    @Test("a price that the currency cannot have is refused")
    func unusable() throws {
        let yen = try #require(Currency(code: "JPY"))
        #expect(throws: ProductError.unusablePrice(.tooManyDecimals(.usd))) {
            try ProductChange(price: Decimal(string: "0.001")).applied(to: details)
        }
        #expect(throws: ProductError.unusablePrice(.tooManyDecimals(yen))) { try ProductChange(currency: yen).applied(to: details) }
        #expect(throws: ProductError.unusablePrice(.tooLarge)) { try ProductChange(price: Decimal(string: "1e30")).applied(to: details) }
        #expect(throws: ProductError.priceNotPositive) { try ProductChange(price: 0).applied(to: details) }
        #expect(throws: ProductError.priceNotPositive) { try ProductChange(price: -1).applied(to: details) }
    }

    @Test("a condition holds for the versions it names and no other")
    func conditions() {
        #expect(VersionCondition.any.holds(for: 7))
        #expect(VersionCondition.oneOf([1, 7]).holds(for: 7))
        #expect(!VersionCondition.oneOf([1]).holds(for: 7))
        #expect(!VersionCondition.oneOf([]).holds(for: 7))
    }
}
