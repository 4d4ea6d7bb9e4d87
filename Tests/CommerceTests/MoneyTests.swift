import Commerce
import Foundation
import Testing

@Suite("Money is exact")
struct MoneyTests {
    private static let yen = Currency(code: "JPY")!
    private static let dinar = Currency(code: "KWD")!

    @Test(
        "an amount in major units and its minor units are the same amount, both ways",
        arguments: [
            ("0", 0, "USD"), ("0.01", 1, "USD"), ("19.99", 1999, "USD"), ("-19.99", -1999, "USD"), ("999", 99_900, "USD"),
            ("1000000000", 100_000_000_000, "USD"), ("1500", 1500, "JPY"), ("0.001", 1, "KWD"), ("12.345", 12_345, "KWD"),
            ("1000000000", 1_000_000_000_000, "KWD"), ("-1000000000", -1_000_000_000, "JPY"),
        ])
    func bothWays(text: String, minorUnits: Int64, code: String) throws {
        let currency = try #require(Currency(code: code))
        let decimal = try #require(Decimal(string: text))
        let money = try Money(majorUnits: decimal, currency: currency)
        #expect(money == Money(minorUnits: minorUnits, currency: currency))
        #expect(money.majorUnits == decimal)
    }

    @Test("every amount of cents up to a hundred dollars, and many around powers of two, survives the way out and back")
    func roundTrip() throws {
        var amounts = Array(Int64(-10_000)...10_000)
        for power in 10..<37 { amounts += [(1 << power) - 1, 1 << power, (1 << power) + 1] }
        for currency in [Currency.usd, Self.yen, Self.dinar] {
            for amount in amounts where Decimal(abs(amount)) <= Money.largestMajorUnits {
                let money = Money(minorUnits: amount, currency: currency)
                #expect(try Money(majorUnits: money.majorUnits, currency: currency) == money)
            }
        }
    }

    @Test(
        "the number that stands in JSON is the amount, digit for digit",
        arguments: ["0.1", "0.07", "19.99", "999", "1234567.89", "999999999.99"])
    func json(text: String) throws {
        let decimal = try JSONDecoder().decode(Decimal.self, from: Data(text.utf8))
        let money = try Money(majorUnits: decimal, currency: .usd)
        #expect(String(decoding: try JSONEncoder().encode(money.majorUnits), as: UTF8.self) == text)
    }

    @Test("the extremes of 64 bits have a decimal form")
    func extremes() {
        #expect(Money(minorUnits: .min, currency: .usd).majorUnits == Decimal(string: "-92233720368547758.08"))
        #expect(Money(minorUnits: .max, currency: .usd).majorUnits == Decimal(string: "92233720368547758.07"))
        #expect(Money(minorUnits: .min, currency: .usd).description == "-92233720368547758.08 USD")
    }

    @Test(
        "more decimals than the currency has are refused, however small or many",
        arguments: [
            ("0.001", "USD"), ("19.999", "USD"), ("0.5", "JPY"), ("1.0001", "KWD"), ("1e-38", "USD"), ("1e-100", "USD"), ("1e-127", "KWD"),
            ("0.0000000000000000000000000000000000001", "USD"), ("1.0000000000000000000000000000000000001", "USD"),
            ("999999999.9999999999999999999999999999", "USD"), ("-0.001", "USD"),
        ])
    func tooManyDecimals(text: String, code: String) throws {
        let currency = try #require(Currency(code: code))
        let decimal = try #require(Decimal(string: text))
        #expect(throws: MoneyError.tooManyDecimals(currency)) { try Money(majorUnits: decimal, currency: currency) }
    }

    @Test("trailing zeros are no decimals", arguments: ["19.9900", "19.990000000000000000", "1999e-2", "0.1999e2"])
    func trailingZeros(text: String) throws {
        #expect(try Money(majorUnits: #require(Decimal(string: text)), currency: .usd).minorUnits == 1999)
    }

    @Test(
        "absurd amounts are refused and never wrap around",
        arguments: ["1000000000.01", "1000000001", "-1000000001", "1e18", "1e19", "1e38", "1e100", "-1e127", "9223372036854775808"])
    func tooLarge(text: String) throws {
        let decimal = try #require(Decimal(string: text))
        #expect(throws: MoneyError.tooLarge) { try Money(majorUnits: decimal, currency: .usd) }
    }

    @Test("what is no number is no amount")
    func notANumber() {
        #expect(throws: MoneyError.tooLarge) { try Money(majorUnits: .nan, currency: .usd) }
    }

    @Test("sums, differences and products beyond 64 bits are errors")
    func overflow() {
        let most = Money(minorUnits: .max, currency: .usd)
        let least = Money(minorUnits: .min, currency: .usd)
        let one = Money(minorUnits: 1, currency: .usd)
        #expect(throws: MoneyError.tooLarge) { try most.adding(one) }
        #expect(throws: MoneyError.tooLarge) { try least.subtracting(one) }
        #expect(throws: MoneyError.tooLarge) { try most.multiplied(by: 2) }
        #expect(throws: MoneyError.tooLarge) { try least.multiplied(by: -1) }
    }

    @Test("sums, differences and products are what arithmetic says")
    func arithmetic() throws {
        let (a, b) = (Money(minorUnits: 250, currency: .usd), Money(minorUnits: 199, currency: .usd))
        #expect(try a.adding(b).minorUnits == 449)
        #expect(try b.subtracting(a).minorUnits == -51)
        #expect(try a.multiplied(by: 3).minorUnits == 750)
        #expect(Money.zero(.usd).isZero && !Money.zero(.usd).isPositive && a.isPositive)
    }

    @Test("different currencies do not add up")
    func currencies() {
        let dollar = Money(minorUnits: 1, currency: .usd)
        let yen = Money(minorUnits: 1, currency: Self.yen)
        #expect(throws: MoneyError.currencyMismatch(.usd, Self.yen)) { try dollar.adding(yen) }
        #expect(throws: MoneyError.currencyMismatch(Self.yen, .usd)) { try yen.subtracting(dollar) }
    }

    @Test(
        "people read all decimals of the currency",
        arguments: [
            (1990, "USD", "19.90 USD"), (5, "USD", "0.05 USD"), (-5, "USD", "-0.05 USD"), (1500, "JPY", "1500 JPY"), (-7, "JPY", "-7 JPY"),
            (1, "KWD", "0.001 KWD"),
        ])
    func description(minorUnits: Int64, code: String, text: String) throws {
        #expect(Money(minorUnits: minorUnits, currency: try #require(Currency(code: code))).description == text)
    }

    @Test("an amount in an event keeps its minor units and its currency")
    func codable() throws {
        let money = Money(minorUnits: 1999, currency: .usd)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(money)
        #expect(String(decoding: data, as: UTF8.self) == #"{"currency":"USD","minorUnits":1999}"#)
        #expect(try JSONDecoder().decode(Money.self, from: data) == money)
    }
}

@Suite("Currency")
struct CurrencyTests {
    @Test(
        "each currency has the decimals of ISO 4217",
        arguments: [("USD", 2, 100), ("EUR", 2, 100), ("JPY", 0, 1), ("KWD", 3, 1000)] as [(String, Int, Int64)])
    func decimals(code: String, decimals: Int, scale: Int64) throws {
        let currency = try #require(Currency(code: code))
        #expect(currency.decimals == decimals && currency.minorUnitsPerMajorUnit == scale)
    }

    @Test("a code that is none is refused", arguments: ["", "usd", "US", "USDX", "XXX", "€", " USD"])
    func unknown(code: String) {
        #expect(Currency(code: code) == nil)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Currency.self, from: JSONEncoder().encode(code)) }
    }
}
