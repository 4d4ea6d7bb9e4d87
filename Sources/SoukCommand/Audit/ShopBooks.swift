import Chassis
import ChassisStorage
import Contracts
import Foundation
import Invariants
import Logging

/// The databases of a shop as `souk up` lays them out, opened only to be read.
struct ShopBooks: Sendable {
    let directory: DataDirectory
    /// With `{service}` in the place of each database's name; nil for SQLite files in the directory.
    let databaseURL: String?

    /// Checks the books.
    ///
    /// A file at rest is read as one that does not change. Should the shop be started meanwhile that was wrong, and the look is repeated.
    func audit(_ level: Invariant.Level) async throws -> Audit {
        let inUse = servicesAtWork
        let audit = try await look(level)
        return servicesAtWork.isSubset(of: inUse) ? audit : try await look(level)
    }

    private func look(_ level: Invariant.Level) async throws -> Audit {
        var books = Books(now: isRunning ? TimeSource.system.now : nil)
        do {
            for service in Books.services { books[service] = try await open(service) }
            guard Books.services.contains(where: { books[$0] != nil }) else { throw AuditError.noBooks(directory.path) }
            let audit = try await Audit.of(books, level)
            await close(books)
            return audit
        } catch {
            await close(books)
            throw error
        }
    }

    /// Nil when the shop has no such database.
    private func open(_ service: ServiceName) async throws -> Database? {
        let silent = Logger(label: "souk") { _ in SwiftLogNoOpLogHandler() }
        if let databaseURL {
            let url = databaseURL.replacingOccurrences(of: "{service}", with: service.databaseName)
            return try await Database.openForReading(DatabaseURL(url), logger: silent)
        }
        guard exists(file(of: service)) else { return nil }
        return try await Database.openForReading(.sqlite(path: file(of: service)), logger: silent)
    }

    private func close(_ books: Books) async {
        for service in Books.services { await books[service]?.close() }
    }

    // MARK: What is there

    private func file(of service: ServiceName) -> String {
        directory.url.appending(path: "\(service.databaseName).sqlite").path(percentEncoded: false)
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// The services whose databases have a log, as they do from the moment that they are opened to be written.
    private var servicesAtWork: Set<ServiceName> {
        Set(Books.services.filter { exists(file(of: $0) + "-wal") })
    }

    /// Whether the process that holds the shop lives.
    private var isRunning: Bool {
        guard let shop = try? directory.runningShop() else { return false }
        return kill(shop.processIdentifier, 0) == 0
    }
}

enum AuditError: Error, CustomStringConvertible {
    case noBooks(String)

    var description: String {
        switch self {
        case .noBooks(let path): "there are no databases of a shop in \(path)"
        }
    }
}
