import ChassisStorage

extension ProductMigrations {
    /// The full-text index over name, category and description, kept by the database itself. How it is asked: `ProductSearch`.
    ///
    /// On SQLite it is an FTS5 table without a copy of the text. Its triggers fire on a change of the text only: a sale touches no index.
    /// Prefixes of two and three characters are indexed of their own, because that is what a person has typed when the first results
    /// are wanted. On Postgres it is a generated column with a GIN index; the configuration is `simple`, since nobody says in which
    /// language a shop's products are described.
    static let search = Migration(
        "products_004_search",
        sqlite: """
            CREATE VIRTUAL TABLE products_search USING fts5(
                name, category, description,
                content = 'products', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
            );
            INSERT INTO products_search (products_search, rank) VALUES ('rank', 'bm25(10.0, 4.0, 1.0)');
            CREATE TRIGGER products_search_insert AFTER INSERT ON products BEGIN
                INSERT INTO products_search (rowid, name, category, description)
                VALUES (new.id, new.name, new.category, new.description);
            END;
            CREATE TRIGGER products_search_update AFTER UPDATE OF name, category, description ON products BEGIN
                INSERT INTO products_search (products_search, rowid, name, category, description)
                VALUES ('delete', old.id, old.name, old.category, old.description);
                INSERT INTO products_search (rowid, name, category, description)
                VALUES (new.id, new.name, new.category, new.description);
            END;
            CREATE TRIGGER products_search_delete AFTER DELETE ON products BEGIN
                INSERT INTO products_search (products_search, rowid, name, category, description)
                VALUES ('delete', old.id, old.name, old.category, old.description);
            END;
            """,
        postgres: """
            ALTER TABLE products ADD COLUMN search tsvector GENERATED ALWAYS AS (
                setweight(to_tsvector('simple', name), 'A')
                || setweight(to_tsvector('simple', category), 'B')
                || setweight(to_tsvector('simple', description), 'D')
            ) STORED;
            CREATE INDEX products_by_search ON products USING gin (search);
            """)
}
