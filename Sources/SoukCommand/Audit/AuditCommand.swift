import ArgumentParser
import Chassis
import Foundation
import Invariants

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Checks a shop's books, while it runs or is stopped: stock, money, events, keys, jobs.",
        discussion: """
            Reads the databases and changes nothing. Ends with 0 when everything holds, 1 when something is violated, 2 when the books \
            cannot be read, all or in part. What waits for a person is shown as a warning.
            """)

    @Option(help: "Where the shop keeps its databases.")
    var dataDir = ".souk"

    @Option(help: "Postgres instead of SQLite files: postgres://…/{service}.")
    var databaseURL: String?

    @Flag(help: "Also check what must hold once all work is done: for a shop in which nobody orders and nothing is under way.")
    var settled = false

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() async throws {
        let audit: Audit
        do {
            audit = try await ShopBooks(directory: DataDirectory(dataDir), databaseURL: databaseURL).audit(settled ? .settled : .always)
        } catch let error as CancellationError {
            throw error
        } catch {
            FileHandle.standardError.write(Data("The books cannot be read: \(error)\n".utf8))
            throw ExitCode(2)
        }
        Console.print(json ? try document(of: audit) : AuditReport(audit: audit).text)
        if !audit.holds { throw ExitCode(1) }
        if !audit.unchecked.isEmpty { throw ExitCode(2) }
    }

    private func document(of audit: Audit) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(audit), as: UTF8.self)
    }
}
