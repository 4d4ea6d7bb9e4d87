/// An ISO 4217 currency: a code and how many decimals its minor unit has.
public struct Currency: Hashable, Sendable {
    /// Three upper-case letters, for example `USD`.
    public let code: String
    /// How many decimals a major unit has: 2 for most, 0 for the yen, 3 for the Kuwaiti dinar.
    public let decimals: Int

    public static let usd = Currency(known: "USD", decimals: 2)

    /// Fails for a code that Souk does not know.
    public init?(code: String) {
        guard let decimals = Self.decimalsByCode[code] else { return nil }
        self.init(known: code, decimals: decimals)
    }

    private init(known code: String, decimals: Int) {
        self.code = code
        self.decimals = decimals
    }

    /// How many minor units make a major unit: 100 cents a dollar.
    public var minorUnitsPerMajorUnit: Int64 {
        (0..<decimals).reduce(1) { scale, _ in scale * 10 }
    }

    /// The currencies of ISO 4217 that are in daily use, with the decimals that the standard gives them.
    private static let decimalsByCode: [String: Int] = {
        let two = [
            "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS",
            "INR", "KES", "MAD", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "RON", "RSD", "SAR", "SEK", "SGD", "THB",
            "TRY", "TWD", "UAH", "USD", "UYU", "ZAR",
        ]
        let none = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"]
        let three = ["BHD", "IQD", "JOD", "KWD", "OMR", "TND"]
        var table: [String: Int] = [:]
        for code in two { table[code] = 2 }
        for code in none { table[code] = 0 }
        for code in three { table[code] = 3 }
        return table
    }()
}

extension Currency: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let code = try container.decode(String.self)
        guard let currency = Currency(code: code) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "an unknown currency")
        }
        self = currency
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(code)
    }
}
