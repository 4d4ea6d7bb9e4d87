import ChassisStorage

// Full-text search is the one statement that each database writes in its own way. This file is the seam; `ProductSearchOnSQLite` and
// `ProductSearchOnPostgres` are the two sides. A side gives three pieces of SQL, from which the listing makes its one query:
//
//   source      the tables to read; the products are called `p`
//   condition   what holds for a match
//   rank        a real number, smaller for a better match
//
// The words come from `SearchTerms`: letters and digits and nothing else, so that neither side has a syntax to escape. They are bound
// like any value all the same. Each word matches as a prefix, and all words must match.

struct ProductSearch {
    let source: SQL
    let condition: SQL
    let rank: SQL

    init(source: SQL, condition: SQL, rank: SQL) {
        self.source = source
        self.condition = condition
        self.rank = rank
    }

    init(_ terms: SearchTerms, in dialect: Dialect) {
        switch dialect {
        case .sqlite: self = .onSQLite(terms)
        case .postgres: self = .onPostgres(terms)
        }
    }
}
