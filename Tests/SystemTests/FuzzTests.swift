import Foundation
import Testing

/// The whole API against its documents, by schemathesis: `make fuzz`, only shorter.
extension SystemTests {
    @Suite struct FuzzTests {
        private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()

        @Test("no request gets an answer that the documents do not tell of, and every operation gives a good one", .timeLimit(.minutes(15)))
        func documents() async throws {
            let (status, text) = try await fuzz()
            #expect(status == 0, "\(text)")
            #expect(text.contains("Nothing was found"), "\(text)")
        }

        @Test(
            "an answer that a document leaves out is found", .timeLimit(.minutes(5)),
            arguments: [
                // The status of an answer, a member of a body, and a header.
                ("\"202\": {\"description\"", "\"200\": {\"description\"", "Undocumented status code"),
                (
                    "\"required\": [\"id\", \"userId\", \"kind\"", "\"required\": [\"colour\", \"id\", \"kind\"",
                    "\"colour\" is a required property"
                ),
                ("\"X-Request-Id\": {", "\"X-Weather\": {", "X-Weather"),
            ])
        func canFail(truth: String, lie: String, finding: String) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "souk-lies-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let name = "openapi/notification-service.json"
            let document = try String(contentsOf: Self.repository.appending(path: name), encoding: .utf8)
            try #require(document.contains(truth))
            try document.replacingOccurrences(of: truth, with: lie).write(
                to: folder.appending(path: "notification-service.json"), atomically: true, encoding: .utf8)
            let (status, text) = try await fuzz("--documents", folder.path, "--examples", "2")
            #expect(status == 1 && text.contains(finding), "\(text)")
        }

        private func fuzz(_ arguments: String...) async throws -> (status: Int32, text: String) {
            let output = FileManager.default.temporaryDirectory.appending(path: "fuzz-\(UUID().uuidString).log")
            defer { try? FileManager.default.removeItem(at: output) }
            let script = Self.repository.appending(path: "fuzz/run").path
            let process = try SoukProcess(
                program: Self.repository.appending(path: ".venv/bin/python3"),
                [script, "--souk", Executables.directory.appending(path: "souk").path] + arguments, output: output)
            let status = try await process.waitForExit(within: .seconds(800))
            return (status, process.text)
        }
    }
}
