import Foundation

/// The form in which names and categories are compared and ordered: without regard to case, accents and surrounding spaces.
///
/// It is computed here and stored beside the text, because databases disagree about what lower case is.
enum CatalogKey {
    static func key(of text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
            .folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
    }
}
