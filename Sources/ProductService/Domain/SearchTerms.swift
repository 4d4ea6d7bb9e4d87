/// The words of what a person typed into a search box.
///
/// Words are runs of letters and digits, in lower case; everything else, whatever it means to a database, only separates them. So a
/// query made of these words has no syntax that a person could reach. The numbers of words and characters are bounded: what is beyond
/// is ignored.
struct SearchTerms: Sendable, Hashable {
    static let mostWords = 12
    static let longestWord = 40

    /// At least one; each is letters, digits and combining marks and begins with a letter or a digit.
    let words: [String]

    /// Fails when `text` has no word at all.
    init?(_ text: String) {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if Self.isPartOfWord(scalar, at: word.count) {
                if word.count < Self.longestWord { word.append(scalar) }
            } else if !word.isEmpty {
                words.append(String(word).lowercased())
                word = String.UnicodeScalarView()
                if words.count == Self.mostWords { break }
            }
        }
        if !word.isEmpty { words.append(String(word).lowercased()) }
        guard !words.isEmpty else { return nil }
        self.words = words
    }

    private static func isPartOfWord(_ scalar: Unicode.Scalar, at position: Int) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
        // An accent that was typed after its letter belongs to it; alone it is no word.
        case .nonspacingMark, .spacingMark: position > 0
        default: false
        }
    }
}
