import ChassisTesting
import Commerce
import Foundation
import Testing

@testable import Chassis

/// A family of types that use every way of `Codable`, with values made from a seed.
enum JSONFamily {
    enum Colour: String, Codable, Hashable, CaseIterable { case red, green, blue }
    enum Level: Int, Codable, Hashable, CaseIterable { case low = -1, middle, high }

    enum Shape: Codable, Hashable {
        case point
        case circle(radius: Double)
        case segment(Int, Int)
    }

    struct Numbers: Codable, Hashable {
        var a: Int8, b: Int16, c: Int32, d: Int64, e: Int
        var f: UInt8, g: UInt16, h: UInt32, i: UInt64, j: UInt
        var double: Double, float: Float
        var decimal: Decimal
    }

    struct Leaf: Codable, Hashable {
        var text: String
        var flag: Bool
        var absent: String?
        var colour: Colour
        var level: Level
        var shape: Shape
        var id: UUID
        var url: URL
        var data: Data
        var time: Timestamp
    }

    struct Tree: Codable, Hashable {
        var order: OrderID
        var price: Money
        var numbers: Numbers
        var leaves: [Leaf]
        var gaps: [Int?]
        var byName: [String: Leaf]
        var byNumber: [Int: String]
        var pairs: [[String: [Double]]]
        var nothing: [String]
    }

    // MARK: Made from a seed

    static func text(_ random: inout SeededGenerator) -> String {
        let alphabet: [Character] = [
            "a", "b", "Z", "0", " ", "\"", "\\", "/", "\n", "\r", "\t", "\u{8}", "\u{C}", "\u{0}", "\u{1F}", "\u{7F}", "é", "e\u{301}",
            "ß", "漢", "\u{2028}", "😀", "👩‍👩‍👧", "\u{FFFD}", "\u{10FFFF}", "\r\n",
        ]
        return String(
            (0..<Int.random(in: 0...20, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
    }

    static func number<Integer: FixedWidthInteger>(_ random: inout SeededGenerator) -> Integer {
        switch Int.random(in: 0...4, using: &random) {
        case 0: .min
        case 1: .max
        case 2: Integer(truncatingIfNeeded: Int.random(in: 0...9, using: &random))
        default: Integer.random(in: .min ... .max, using: &random)
        }
    }

    static func double(_ random: inout SeededGenerator) -> Double {
        switch Int.random(in: 0...3, using: &random) {
        case 0: return Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 100
        case 1: return Double(Int.random(in: -1000...1000, using: &random))
        default:
            let number = Double(bitPattern: UInt64.random(in: 0...(.max), using: &random))
            return number.isFinite ? number : 1.5
        }
    }

    static func decimal(_ random: inout SeededGenerator) -> Decimal {
        let significand = Decimal(UInt64.random(in: 0...(.max), using: &random))
        guard !significand.isZero else { return 0 }
        return Decimal(
            sign: Bool.random(using: &random) ? .plus : .minus, exponent: Int.random(in: -30...10, using: &random), significand: significand
        )
    }

    static func numbers(_ random: inout SeededGenerator) -> Numbers {
        Numbers(
            a: number(&random), b: number(&random), c: number(&random), d: number(&random), e: number(&random), f: number(&random),
            g: number(&random), h: number(&random), i: number(&random), j: number(&random), double: double(&random),
            float: Float(Int.random(in: -100_000...100_000, using: &random)) / 8, decimal: decimal(&random))
    }

    static func leaf(_ random: inout SeededGenerator) -> Leaf {
        let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        return Leaf(
            text: text(&random), flag: .random(using: &random), absent: Bool.random(using: &random) ? text(&random) : nil,
            colour: Colour.allCases.randomElement(using: &random) ?? .red, level: Level.allCases.randomElement(using: &random) ?? .low,
            shape: [.point, .circle(radius: double(&random)), .segment(number(&random), 2)].randomElement(using: &random) ?? .point,
            id: bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) },
            url: URL(string: "https://example.com/a/b?c=\(bytes[0])#d") ?? URL(filePath: "/"), data: Data(bytes.prefix(Int(bytes[1]) % 17)),
            time: Timestamp(millisecondsSinceEpoch: Int64.random(in: -10_000_000_000_000...100_000_000_000_000, using: &random)))
    }

    static func list<Element>(_ random: inout SeededGenerator, _ make: (inout SeededGenerator) -> Element) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<Int.random(in: 0...4, using: &random) { elements.append(make(&random)) }
        return elements
    }

    static func tree(_ random: inout SeededGenerator) throws -> Tree {
        let names = list(&random) { (text(&$0), leaf(&$0)) }
        let numbered = list(&random) { (number(&$0) as Int, text(&$0)) }
        return Tree(
            order: try #require(OrderID(rawValue: Int64.random(in: 1...(.max), using: &random))),
            price: Money(minorUnits: number(&random), currency: .usd), numbers: numbers(&random), leaves: list(&random, leaf),
            gaps: list(&random) { Bool.random(using: &$0) ? number(&$0) : nil },
            byName: Dictionary(names) { first, _ in first }, byNumber: Dictionary(numbered) { first, _ in first },
            pairs: list(&random) { [text(&$0): list(&$0, double)] }, nothing: [])
    }
}
