import Chassis
import ChassisTesting
import Foundation
import Synchronization
import Testing

@testable import NotificationService

/// A real SMTP server (Python's aiosmtpd) on a free loopback port, as a child of the test. What it took it tells as JSON, read by Python's own
/// email parser: somebody else's reading of what we write.
final class MailServer: Sendable {
    let port: Int
    private let process: Process
    private let input: Pipe
    private let lines: AsyncStream<JSONValue>

    /// Runs `body` beside a mail server.
    ///
    /// - Parameters:
    ///   - refusals: how many messages it refuses before it takes one.
    ///   - login: `name:password`, when it wants one.
    static func run(refusals: Int = 0, login: String? = nil, _ body: (MailServer) async throws -> Void) async throws {
        let server = try await MailServer(refusals: refusals, login: login)
        defer { server.stop() }
        try await body(server)
    }

    private init(refusals: Int, login: String?) async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "smtp_server.py")
        let output = Pipe()
        (process, input) = (Process(), Pipe())
        process.executableURL = try Self.python()
        process.arguments = [script.path, "--refuse", "\(refusals)"] + (login.map { ["--auth", $0] } ?? [])
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        lines = Self.lines(of: output.fileHandleForReading)
        try process.run()
        var first = lines.makeAsyncIterator()
        port = Int(try #require(await first.next()?["port"].integer, "the mail server did not start"))
    }

    private func stop() {
        // It ends with its standard input.
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Where mail goes.
    func settings(login: String? = nil, from: String = "shop@souk.example", requiresTLS: Bool = false) -> SMTPSettings {
        SMTPSettings(url: "smtp://\(login.map { "\($0)@" } ?? "")127.0.0.1:\(port)", from: from, requiresTLS: requiresTLS)
    }

    /// The next thing that the server tells.
    func next() async throws -> JSONValue {
        var iterator = lines.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    /// The Python that `scripts/bootstrap --test` gave aiosmtpd.
    private static func python() throws -> URL {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let python = root.appending(path: ".venv/bin/python3")
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            throw MissingPython(description: "there is no \(python.path): run scripts/bootstrap --test")
        }
        return python
    }

    private struct MissingPython: Error, CustomStringConvertible {
        let description: String
    }

    /// The lines that come from a pipe, each a JSON document.
    private static func lines(of handle: FileHandle) -> AsyncStream<JSONValue> {
        AsyncStream { continuation in
            let rest = Mutex(Data())
            handle.readabilityHandler = { handle in
                let data = handle.availableData
                guard !data.isEmpty else {
                    handle.readabilityHandler = nil
                    return continuation.finish()
                }
                rest.withLock { rest in
                    rest.append(data)
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        if let line = try? JSONDecoder().decode(JSONValue.self, from: rest[..<end]) { continuation.yield(line) }
                        rest = Data(rest[(end + 1)...])
                    }
                }
            }
        }
    }
}
