import ChassisStorage

extension ProductSearch {
    /// FTS5, ranked by bm25 with the weights that the migration gives: 10 for the name, 4 for the category, 1 for the description.
    static func onSQLite(_ terms: SearchTerms) -> ProductSearch {
        ProductSearch(
            source: "products_search JOIN products p ON p.id = products_search.rowid",
            condition: "products_search MATCH \(matchExpression(terms))",
            rank: "products_search.rank")
    }

    /// `"red"* "shoe"*`: FTS5 strings, each a prefix, which must all match. A string is safe because a word holds no quote.
    static func matchExpression(_ terms: SearchTerms) -> String {
        terms.words.map { "\"\($0)\"*" }.joined(separator: " ")
    }
}
