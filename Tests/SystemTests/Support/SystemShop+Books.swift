import Chassis
import ChassisTesting
import Foundation
import Testing

@testable import ChassisStorage

extension SystemShop {
    /// Holds the shop's books against each other as they are at this moment, whatever is under way.
    func expectSoundBooks(at location: SourceLocation = #_sourceLocation) async throws {
        let (status, text) = try await command("audit")
        #expect(status == 0, "\(text)", sourceLocation: location)
    }

    /// Waits until all work is done, and holds the books against each other to the end.
    func expectSettledBooks(within limit: Duration = .seconds(60), at location: SourceLocation = #_sourceLocation) async throws {
        try await expectSoundBooks(at: location)
        var last = ""
        do {
            try await eventually(within: limit, "the books are settled") {
                let (status, text) = try await command("audit", "--settled")
                last = text
                return status == 0 ? () : nil
            }
        } catch is NotInTime {
            Issue.record("the books are not settled within \(limit):\n\(last)", sourceLocation: location)
        }
    }

    /// Changes one of the databases of a shop that is stopped, past the service that owns it.
    func tamper(_ database: String, _ statement: SQL) throws {
        let path = directory.appending(path: "\(database).sqlite").path(percentEncoded: false)
        let settings = SQLiteSettings(store: .file(path), role: .writer, busyTimeoutMilliseconds: 5_000)
        try SQLiteConnection(settings).use { connection in
            try connection.begin(.writing)
            #expect(try connection.execute(statement) == 1)
            try connection.commit()
        }
    }
}
