/// The SQL a database speaks. Statements are the same for both but for full-text search and migrations.
public enum Dialect: String, Sendable, Hashable, CaseIterable {
    case sqlite
    case postgres
}
