import Foundation

/// The exact value of a number's text: `significand` × 10^`exponent`, where the significand ends in no zero.
struct JSONNumber {
    /// What 128 bits, and so `Decimal`, surely hold.
    private static let longestSignificand = 38
    /// Exponents of the text are cut there: nothing that Souk reads comes near, and sums of them stay in range.
    private static let largestWrittenExponent = 1_000_000_000_000

    private var isNegative = false
    private var significand: UInt128 = 0
    private var exponent = 0

    /// Fails when the number has more than 38 significant digits.
    /// - Parameter text: a number that the parser has checked.
    init?(_ text: ArraySlice<UInt8>) {
        var index = text.startIndex
        var digits = 0
        var zeros = 0
        var hasPoint = false
        if text[index] == UInt8(ascii: "-") {
            isNegative = true
            index += 1
        }
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: ".") {
                hasPoint = true
                continue
            }
            guard byte <= UInt8(ascii: "9") else { break }
            if hasPoint { exponent -= 1 }
            if byte == UInt8(ascii: "0") {
                // A zero counts only when another digit follows.
                zeros += 1
                continue
            }
            if digits > 0 {
                digits += zeros + 1
                guard digits <= Self.longestSignificand else { return nil }
                significand *= Self.powerOfTen(zeros + 1)
            } else {
                digits = 1
            }
            zeros = 0
            significand += UInt128(byte - UInt8(ascii: "0"))
        }
        exponent += zeros
        if index < text.endIndex { exponent += Self.writtenExponent(text[index...]) }
        if significand == 0 { exponent = 0 }
    }

    private static func powerOfTen(_ power: Int) -> UInt128 {
        (0..<power).reduce(1) { product, _ in product * 10 }
    }

    private static func writtenExponent(_ text: ArraySlice<UInt8>) -> Int {
        var magnitude = 0
        for byte in text where byte >= UInt8(ascii: "0") {
            magnitude = min(magnitude * 10 + Int(byte - UInt8(ascii: "0")), largestWrittenExponent)
        }
        return text.first == UInt8(ascii: "-") ? -magnitude : magnitude
    }

    // MARK: As the types of Swift

    /// The number as an integer; nil when it has a fraction or is out of range.
    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) -> Integer? {
        guard (0...Self.longestSignificand).contains(exponent) else { return nil }
        let (magnitude, isTooLarge) = significand.multipliedReportingOverflow(by: Self.powerOfTen(exponent))
        guard !isTooLarge else { return nil }
        if !isNegative { return Integer(exactly: magnitude) }
        guard let value = Int128(exactly: magnitude) else { return nil }
        return Integer(exactly: -value)
    }

    /// The number exactly; nil when its exponent is beyond ±127.
    var decimal: Decimal? {
        guard significand > 0 else { return Decimal() }
        guard (-127...127).contains(exponent) else { return nil }
        let split: UInt128 = 10_000_000_000_000_000_000
        var decimal = Decimal(UInt64(significand % split))
        if significand >= split {
            decimal += Decimal(UInt64(significand / split)) * Decimal(sign: .plus, exponent: 19, significand: 1)
        }
        return Decimal(sign: isNegative ? .minus : .plus, exponent: exponent, significand: decimal)
    }

    /// The nearest `Double`, where one rounding finds it: both the significand and the power of ten are then exact (W. D. Clinger, "How to
    /// Read Floating Point Numbers Accurately", 1990). Nil elsewhere.
    var double: Double? {
        guard significand <= 1 << 53, (-22...22).contains(exponent) else { return nil }
        let magnitude = Double(UInt64(significand))
        let value = exponent < 0 ? magnitude / Self.exactPowersOfTen[-exponent] : magnitude * Self.exactPowersOfTen[exponent]
        return isNegative ? -value : value
    }

    private static let exactPowersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
