import ChassisStorage
import Contracts
import Foundation
import Invariants
import Testing

/// A row of the table in `docs/retention.md`.
struct KeptTable: Sendable, Hashable {
    /// The services whose database has it.
    let services: [ServiceName]
    let table: String
    let kind: String
    let kept: String

    private static let databases: [String: ServiceName] = [
        "users": .users, "products": .products, "orders": .orders, "payments": .payments, "notifications": .notifications,
    ]

    /// Every row of the list.
    static func all() throws -> [KeptTable] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/retention.md"), encoding: .utf8)
        return try text.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.contains("`") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 4, "\(line)")
            let names = cells[0].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            let services = names == ["every"] ? Books.services : try names.map { try #require(databases[$0], "\($0) is no database") }
            return KeptTable(services: services, table: cells[1].trimmingCharacters(in: ["`"]), kind: cells[2], kept: cells[3])
        }
    }
}

@Suite("The list of tables in docs/retention.md")
struct RetentionListTests {
    @Test("has every table of every database, and no other: who adds a table says how long its rows are kept")
    func complete() async throws {
        let shop = try await SmallShop()
        let listed = try KeptTable.all()
        for service in Books.services {
            let tables = try await shop.database(service).read { transaction in
                try transaction.all("SELECT name FROM sqlite_schema WHERE type = 'table'") { try $0["name"] as String }
            }
            // SQLite's own, and those by which it keeps a search index.
            let own = tables.filter { !$0.hasPrefix("sqlite_") && !$0.hasPrefix("products_search_") }
            #expect(Set(own) == Set(listed.filter { $0.services.contains(service) }.map(\.table)), "\(service.rawValue)")
        }
        await shop.close()
    }

    @Test("says of each what it is, and of working tables when their rows go")
    func kinds() throws {
        for row in try KeptTable.all() {
            #expect(["books", "working", "fixed"].contains(row.kind), "\(row.table)")
            #expect(!row.kept.isEmpty)
            let isTrimmed = ["until", "job `", "as long as"].contains { row.kept.contains($0) }
            #expect(isTrimmed == (row.kind == "working"), "\(row.table)")
        }
    }
}
