import ChassisStorage

extension ProductSearch {
    /// tsvector and GIN, ranked by `ts_rank` with its standard weights: 1.0 for the name, 0.4 for the category, 0.1 for the description.
    static func onPostgres(_ terms: SearchTerms) -> ProductSearch {
        let query: SQL = "to_tsquery('simple', \(prefixQuery(terms)))"
        return ProductSearch(
            source: "products p",
            condition: "p.search @@ \(query)",
            rank: "CAST(-ts_rank(p.search, \(query)) AS DOUBLE PRECISION)")
    }

    /// `'red':* & 'shoe':*`: quoted lexemes, each a prefix, which must all match. Quoting is safe because a word holds no quote.
    static func prefixQuery(_ terms: SearchTerms) -> String {
        terms.words.map { "'\($0)':*" }.joined(separator: " & ")
    }
}
