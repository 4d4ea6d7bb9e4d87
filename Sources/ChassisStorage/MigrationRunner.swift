/// Brings a schema up to date inside one transaction, which the driver holds under a lock that keeps other processes out.
///
/// The table `schema_migrations(name, checksum, applied_at)` remembers what was applied. The rules, each of which stops the start
/// with a sentence that says what to do:
///
/// - an applied migration that this build does not know: a newer build has been here, and going on could damage its data;
/// - an applied migration whose script differs from this build's: a released migration was edited;
/// - a script that fails: nothing of this start's migrations remains.
///
/// What is pending runs in the order of the array, even where it stands before migrations applied long ago: the
/// chassis' and a service's own migrations are lists of their own that grow independently.
enum MigrationRunner {
    private static let table = Migration(
        "schema_migrations",
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            name TEXT PRIMARY KEY NOT NULL,
            checksum TEXT NOT NULL,
            applied_at $integer NOT NULL
        ) $strict
        """)

    /// Applies what is pending and returns its names.
    ///
    /// - Throws: ``StorageError`` of kind migration.
    static func run(_ migrations: [Migration], in transaction: Transaction) throws -> [String] {
        let dialect = transaction.dialect
        try transaction.executeScript(table.script(for: dialect))
        let applied = try transaction.all("SELECT name, checksum FROM schema_migrations ORDER BY name") { row in
            AppliedMigration(name: try row["name"], checksum: try row["checksum"])
        }
        let pending = try pending(of: migrations, applied: applied, dialect: dialect)
        for migration in pending {
            try apply(migration, in: transaction)
        }
        return pending.map(\.name)
    }

    /// Which migrations remain to be applied, in order. Pure, so that the rules can be tested alone.
    static func pending(
        of migrations: [Migration],
        applied: [AppliedMigration],
        dialect: Dialect
    ) throws -> [Migration] {
        var known: Set<String> = []
        for migration in migrations where !known.insert(migration.name).inserted {
            throw StorageError.migration("two migrations are named \(migration.name)")
        }
        for migration in applied where !known.contains(migration.name) {
            throw StorageError.migration(
                "the database has migration \(migration.name), which this build does not know: start the newer build that applied it")
        }
        let checksums = Dictionary(applied.map { ($0.name, $0.checksum) }, uniquingKeysWith: { first, _ in first })
        return try migrations.filter { migration in
            guard let checksum = checksums[migration.name] else { return true }
            guard checksum == migration.checksum(for: dialect) else {
                throw StorageError.migration(
                    "migration \(migration.name) was edited after it was applied: restore it and add a new migration instead")
            }
            return false
        }
    }

    private static func apply(_ migration: Migration, in transaction: Transaction) throws {
        do {
            try transaction.executeScript(migration.script(for: transaction.dialect))
        } catch let error as StorageError {
            throw StorageError.migration("migration \(migration.name) failed: \(error.message)")
        }
        let checksum = migration.checksum(for: transaction.dialect)
        try transaction.execute(
            """
            INSERT INTO schema_migrations (name, checksum, applied_at)
            VALUES (\(migration.name), \(checksum), \(now(in: transaction.dialect)))
            """)
    }

    /// The database's own clock in milliseconds since 1970: the column is for a person, nothing is decided by it.
    private static func now(in dialect: Dialect) -> SQL {
        switch dialect {
        case .sqlite: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
        case .postgres: "CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)"
        }
    }
}

/// A row of `schema_migrations`.
struct AppliedMigration: Sendable {
    let name: String
    let checksum: String
}
