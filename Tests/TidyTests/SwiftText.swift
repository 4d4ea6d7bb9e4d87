// Rules about code must not stumble over words in comments and strings, and rules about comments must not find them in code. So a file is
// taken apart once, byte by byte, into three texts of the same shape: every byte stands in exactly one of them, at its own
// line and column, and is a space in the other two. Known are line and (nested) block comments, strings on one line and on several,
// with any number of `#`, and interpolation, whose inside is code again. Regular expression literals are not used in Souk.

/// A Swift file, taken apart into code, comments and strings.
struct SwiftText: Sendable {
    let code: [String]
    let comments: [String]
    let strings: [String]

    init(_ text: String) {
        var scanner = Scanner(Array(text.utf8))
        scanner.scanCode(until: nil)
        code = Self.lines(scanner.input, scanner.kinds, .code)
        comments = Self.lines(scanner.input, scanner.kinds, .comment)
        strings = Self.lines(scanner.input, scanner.kinds, .string)
    }

    private static func lines(_ bytes: [UInt8], _ kinds: [Scanner.Kind], _ kind: Scanner.Kind) -> [String] {
        var shown = bytes
        for index in shown.indices where kinds[index] != kind && shown[index] != .newline { shown[index] = UInt8(ascii: " ") }
        return shown.split(separator: .newline, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}

private struct Scanner {
    enum Kind { case code, comment, string }

    let input: [UInt8]
    /// What the bytes up to `position` are.
    private(set) var kinds: [Kind] = []
    private var position: Int { kinds.count }

    init(_ input: [UInt8]) {
        self.input = input
        kinds.reserveCapacity(input.count)
    }

    // MARK: What is there

    private var isAtEnd: Bool { position >= input.count }

    private func byte(_ distance: Int = 0) -> UInt8? {
        position + distance < input.count ? input[position + distance] : nil
    }

    private func isNext(_ first: UInt8, _ second: UInt8) -> Bool { byte() == first && byte(1) == second }

    /// Whether `count` times the same byte stands here, `distance` further on.
    private func isNext(_ count: Int, of expected: UInt8, at distance: Int = 0) -> Bool {
        (0..<count).allSatisfy { byte(distance + $0) == expected }
    }

    private mutating func take(_ count: Int = 1, as kind: Kind) {
        for _ in 0..<count where !isAtEnd { kinds.append(kind) }
    }

    // MARK: Kinds

    /// Takes code up to a byte that closes what was opened before; that byte is left. Without one, to the end.
    mutating func scanCode(until end: UInt8?) {
        var depth = 0
        while let next = byte(), depth > 0 || next != end {
            if isNext(.slash, .slash) {
                while let next = byte(), next != .newline { take(as: .comment) }
            } else if isNext(.slash, .star) {
                scanBlockComment()
            } else if let hashes = openingHashes() {
                scanString(hashes: hashes)
            } else {
                if next == .open { depth += 1 }
                if next == .close { depth -= 1 }
                take(as: .code)
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if isNext(.slash, .star) {
                depth += 1
                take(2, as: .comment)
            } else if isNext(.star, .slash) {
                depth -= 1
                take(2, as: .comment)
            } else {
                take(as: .comment)
            }
        } while depth > 0 && !isAtEnd
    }

    /// The number of `#` before a quote that starts here; nil where no string starts.
    private func openingHashes() -> Int? {
        var count = 0
        while byte(count) == .hash { count += 1 }
        return byte(count) == .quote ? count : nil
    }

    private mutating func scanString(hashes: Int) {
        take(hashes, as: .string)
        let quotes = isNext(3, of: .quote) ? 3 : 1
        take(quotes, as: .string)
        while !isAtEnd, !(isNext(quotes, of: .quote) && isNext(hashes, of: .hash, at: quotes)) {
            let isEscape = byte() == .backslash && isNext(hashes, of: .hash, at: 1)
            if isEscape, byte(hashes + 1) == .open {
                take(hashes + 2, as: .string)
                scanCode(until: .close)
                take(as: .string)
            } else {
                take(isEscape ? hashes + 2 : 1, as: .string)
            }
        }
        take(quotes + hashes, as: .string)
    }
}

extension UInt8 {
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let slash = UInt8(ascii: "/")
    fileprivate static let star = UInt8(ascii: "*")
    fileprivate static let hash = UInt8(ascii: "#")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let backslash = UInt8(ascii: "\\")
    fileprivate static let open = UInt8(ascii: "(")
    fileprivate static let close = UInt8(ascii: ")")
}
