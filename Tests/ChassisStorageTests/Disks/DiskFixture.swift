import ChassisTesting
import Foundation
import Logging
import Synchronization

@testable import ChassisStorage

/// A logger that keeps what it is told.
final class KeptLog: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in self } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .notice }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        kept.withLock { $0.append("\(event.level): \(event.message) \(metadata.joined(separator: " "))") }
    }
}

/// Runs `body` with a folder on a disk of its own.
func withSmallDisk<Result>(megabytes: Int = 4, _ body: (SmallDisk) async throws -> Result) async throws -> Result {
    try await withTemporaryDirectory { directory in
        let disk = try SmallDisk(at: URL(filePath: directory, directoryHint: .isDirectory), megabytes: megabytes)
        do {
            let result = try await body(disk)
            try disk.unmount()
            return result
        } catch {
            try disk.unmount()
            throw error
        }
    }
}

extension SmallDisk {
    var database: String { folder.appending(path: "shop.sqlite").path }
}

extension Database {
    /// Writes accounts one after another until one is refused; returns why.
    func writeUntilRefused(_ prefix: String) async throws -> (accepted: [String], refusal: StorageError) {
        var accepted: [String] = []
        for number in 0..<100_000 {
            // Long, so that a few hundred fill what SQLite may still have of its own.
            let email = "\(prefix)-\(number)-" + String(repeating: "x", count: 2_000)
            do {
                try await addAccount(email)
                accepted.append(email)
            } catch let error as StorageError {
                return (accepted, error)
            }
        }
        throw Refusal()
    }
}
