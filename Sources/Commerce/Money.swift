public import Foundation

/// An exact amount of one currency, counted in its minor units (cents). It never passes through a binary fraction.
///
/// Sums of different currencies and sums beyond 64 bits are errors, never wrong numbers.
public struct Money: Hashable, Sendable {
    /// The amount in minor units; negative for a debit.
    public let minorUnits: Int64
    public let currency: Currency

    public init(minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    public static func zero(_ currency: Currency) -> Money { Money(minorUnits: 0, currency: currency) }

    public var isZero: Bool { minorUnits == 0 }
    public var isPositive: Bool { minorUnits > 0 }

    public func adding(_ other: Money) throws(MoneyError) -> Money {
        guard currency == other.currency else { throw .currencyMismatch(currency, other.currency) }
        return try Self.checked(minorUnits.addingReportingOverflow(other.minorUnits), currency)
    }

    public func subtracting(_ other: Money) throws(MoneyError) -> Money {
        guard currency == other.currency else { throw .currencyMismatch(currency, other.currency) }
        return try Self.checked(minorUnits.subtractingReportingOverflow(other.minorUnits), currency)
    }

    public func multiplied(by factor: Int64) throws(MoneyError) -> Money {
        try Self.checked(minorUnits.multipliedReportingOverflow(by: factor), currency)
    }

    private static func checked(_ result: (partialValue: Int64, overflow: Bool), _ currency: Currency) throws(MoneyError) -> Money {
        guard !result.overflow else { throw .tooLarge }
        return Money(minorUnits: result.partialValue, currency: currency)
    }
}

/// Why an amount is not to be had.
public enum MoneyError: Error, Hashable {
    case currencyMismatch(Currency, Currency)
    /// The amount has more decimals than its currency.
    case tooManyDecimals(Currency)
    /// The amount is beyond `Money.largestMajorUnits` or 64 bits.
    case tooLarge
}

// MARK: - The decimal form that people and the wire use

extension Money {
    /// The largest amount taken from outside, in major units. A shop has no use for more, and every sum of such amounts stays far below 64 bits.
    public static let largestMajorUnits: Decimal = 1_000_000_000

    /// The exact amount in major units: 1999 cents are 19.99.
    public var majorUnits: Decimal {
        Decimal(sign: minorUnits < 0 ? .minus : .plus, exponent: -currency.decimals, significand: Decimal(minorUnits.magnitude))
    }

    /// Reads an amount in major units exactly.
    ///
    /// Throws when it has more decimals than the currency or is beyond `largestMajorUnits` in either direction.
    public init(majorUnits: Decimal, currency: Currency) throws(MoneyError) {
        guard majorUnits.isFinite, abs(majorUnits) <= Self.largestMajorUnits else { throw .tooLarge }
        var scaled = majorUnits * Decimal(currency.minorUnitsPerMajorUnit)
        var whole = Decimal()
        NSDecimalRound(&whole, &scaled, 0, .plain)
        guard whole == scaled else { throw .tooManyDecimals(currency) }
        guard let minorUnits = Int64(whole.description) else { throw .tooLarge }
        self.init(minorUnits: minorUnits, currency: currency)
    }
}

extension Money: CustomStringConvertible {
    /// For people: all decimals of the currency and its code, `19.90 USD`.
    public var description: String {
        guard currency.decimals > 0 else { return "\(minorUnits) \(currency.code)" }
        let scale = currency.minorUnitsPerMajorUnit
        let (whole, fraction) = (minorUnits.magnitude / UInt64(scale), minorUnits.magnitude % UInt64(scale))
        let digits = String(fraction)
        let padding = String(repeating: "0", count: currency.decimals - digits.count)
        return "\(minorUnits < 0 ? "-" : "")\(whole).\(padding)\(digits) \(currency.code)"
    }
}

/// In events and stored documents an amount is `{"minorUnits":1999,"currency":"USD"}`; the public API writes major units beside a currency.
extension Money: Codable {}
