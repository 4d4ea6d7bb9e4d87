import Testing

@testable import ProductService

@Suite("Search terms")
struct SearchTermsTests {
    @Test(
        "words are runs of letters and digits, in lower case",
        arguments: [
            ("Red Shoes", ["red", "shoes"]), ("  usb-c 65W  ", ["usb", "c", "65w"]), ("Café 東京", ["café", "東京"]),
            ("a.b,c;d", ["a", "b", "c", "d"]),
        ])
    func words(text: String, expected: [String]) {
        #expect(SearchTerms(text)?.words == expected)
    }

    @Test("text without a word gives no terms", arguments: ["", " ", "\"", "***", "()", "-", "'; --", "\u{0}", "\u{301}", "😀", "²"])
    func nothing(text: String) {
        #expect(SearchTerms(text) == nil)
    }

    @Test("whatever is typed, no character of a database's syntax is left", arguments: hostileTexts)
    func hostile(text: String) {
        for word in SearchTerms(text)?.words ?? [] {
            #expect(!word.isEmpty)
            #expect(
                word.unicodeScalars.allSatisfy {
                    $0.properties.isAlphabetic || $0.properties.numericType != nil || $0.properties.generalCategory == .nonspacingMark
                        || $0.properties.generalCategory == .spacingMark
                })
        }
    }

    @Test("the numbers of words and of characters in a word are bounded")
    func bounds() throws {
        let terms = try #require(SearchTerms(String(repeating: String(repeating: "x", count: 500) + " ", count: 500)))
        #expect(terms.words.count == SearchTerms.mostWords)
        #expect(terms.words.allSatisfy { $0.count == SearchTerms.longestWord })
    }
}

/// What people and programs have typed into search boxes to break them.
let hostileTexts = [
    "\"", "\"\"", "\"lap", "lap\"", "lap* OR *", "NEAR(lap top, 2)", "name:lap", "{name category} : lap", "-lap", "^lap", "lap AND",
    "NOT lap",
    "OR", "AND AND", "lap + top", "(((((", "lap)", "'; DROP TABLE products; --", "' OR '1'='1", "lap\u{0}top", "\\", "%", "_", "lap:*",
    "'lap':* | '",
    "& | !", "<->", "lap <-> top", "!lap", "\u{202E}lap", "\u{301}\u{301}lap", "e\u{301}\u{301}\u{301}", "İSTANBUL", "ß", "ﬁ", "😀 lap",
    String(repeating: "a ", count: 5_000), String(repeating: "\"", count: 1_000), String(repeating: "(", count: 1_000),
]
