import Commerce
import Testing

@testable import ProductService

@Suite("Catalog positions")
struct CatalogPositionTests {
    @Test(
        "a cursor reads back as the position it was made of",
        arguments: [
            CatalogPosition.Key.id, .newest, .price(thousandths: 999_000), .priceDescending(thousandths: 1), .name(key: "a|b \"ü\" 東"),
            .name(key: ""), .relevance(rank: -1.0386266094420600e-06), .relevance(rank: 0),
        ])
    func roundTrip(key: CatalogPosition.Key) throws {
        let position = CatalogPosition(key: key, id: try product(Int64.max))
        #expect(CatalogPosition(cursor: position.cursor) == position)
        #expect(position.cursor.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
    }

    @Test(
        "what is no cursor is none",
        arguments: [
            "", "abc", "====", "aXwxfA==x", "🦊", "aXwwfA", "aXwtMXw", "enwxfA", "cHwxfHg", "cnwxfG5hbg",
            String(repeating: "a", count: 10_000),
        ])
    func hostile(cursor: String) {
        #expect(CatalogPosition(cursor: cursor) == nil)
    }

    @Test("a comparable price is exact, whatever the currency's decimals")
    func prices() throws {
        let yen = try #require(Currency(code: "JPY"))
        let dinar = try #require(Currency(code: "KWD"))
        #expect(ComparablePrice(Money(minorUnits: 1999, currency: .usd)).thousandths == 19_990)
        #expect(ComparablePrice(Money(minorUnits: 20, currency: yen)).thousandths == 20_000)
        #expect(ComparablePrice(Money(minorUnits: 19_999, currency: dinar)).thousandths == 19_999)
        #expect(ComparablePrice("19.99")?.thousandths == 19_990)
        #expect(ComparablePrice("5")?.thousandths == 5_000)
        #expect(ComparablePrice("0.001")?.thousandths == 1)
    }

    @Test(
        "what is no amount is no price to compare with",
        arguments: ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2345", "12345678901", "NaN", "٣", " 1", "1.2.3", "0x10"])
    func notPrices(text: String) {
        #expect(ComparablePrice(text) == nil)
    }
}
