import Chassis
import ChassisTesting
import Foundation
import Testing

/// `souk chaos` as a person runs it, only shorter.
extension SystemTests {
    @Suite struct ChaosTests {
        @Test("services are killed, frozen and cut off while customers order, and every promise is kept", .timeLimit(.minutes(5)))
        func promises() async throws {
            let (status, text) = try await chaos("--seconds", "15", "--seed", "1", "--json")
            #expect(status == 0, "\(text)")
            let report = try JSONValue.parse(text)
            #expect(report["disturbances"].array.count == 6)
            #expect(report["disturbances"].array.allSatisfy { ($0["count"].integer ?? 0) > 0 }, "every kind has struck: \(text)")
            let accepted = try #require(report["orders"]["accepted"].integer)
            #expect(accepted > 0 && report["found"].integer == accepted)
            #expect(report["orders"]["hindered"] != .object([:]), "nobody has felt anything")
            #expect(report["audit"]["holds"] == .bool(true))
        }

        @Test("a folder that exists is left alone", .timeLimit(.minutes(1)))
        func existing() async throws {
            let folder = FileManager.default.temporaryDirectory
            let (status, text) = try await chaos("--data-dir", folder.path)
            #expect(status != 0 && text.contains("exists already"), "\(text)")
        }

        private func chaos(_ arguments: String...) async throws -> (status: Int32, text: String) {
            let output = FileManager.default.temporaryDirectory.appending(path: "chaos-\(UUID().uuidString).log")
            defer { try? FileManager.default.removeItem(at: output) }
            let process = try SoukProcess(["chaos"] + arguments, output: output)
            let status = try await process.waitForExit(within: .seconds(240))
            return (status, process.text)
        }
    }
}
