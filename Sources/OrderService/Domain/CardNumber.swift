/// Recognises the numbers of payment cards, so that none is stored where a token of the payment provider belongs: an order's payment method stands
/// in the database, in events and at other services, and none of them may ever hold card data (PCI DSS 4.0, requirement 3).
///
/// A number is taken for a card's when it has 13 to 19 digits of which the last is right by Luhn's formula (ISO/IEC 7812-1, annex B). One in ten
/// other numbers of that length is too; no provider makes tokens of nothing but digits between its letters.
enum CardNumber {
    static let lengths = 13...19

    /// Whether a card number stands in `text`, its digits together or parted by `_`.
    static func stands(in text: String) -> Bool {
        text.split { !$0.isASCII || !($0.isNumber || $0 == "_") }.contains { run in
            let digits = run.compactMap(\.wholeNumberValue)
            return lengths.contains(digits.count) && luhnSum(of: digits).isMultiple(of: 10)
        }
    }

    /// Every second digit from the right counts double, and a double beyond 9 counts as the sum of its digits.
    private static func luhnSum(of digits: [Int]) -> Int {
        digits.reversed().enumerated().reduce(0) { sum, digit in
            guard !digit.offset.isMultiple(of: 2) else { return sum + digit.element }
            return sum + (digit.element > 4 ? digit.element * 2 - 9 : digit.element * 2)
        }
    }
}
