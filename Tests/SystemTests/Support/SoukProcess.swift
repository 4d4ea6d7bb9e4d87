import Foundation

/// One run of the `souk` command, or of another program. What it prints goes to a file, so that no pipe can fill up and stop it.
final class SoukProcess: Sendable {
    private let process: Process
    private let output: URL
    /// While this process lives, standard input stays open; a shop started with `--exit-with-parent` ends with us.
    private let lifeline: Pipe

    convenience init(executable: String = "souk", _ arguments: [String], environment: [String: String] = [:], output: URL) throws {
        let program = Executables.directory.appending(path: executable)
        try self.init(program: program, arguments, environment: environment, output: output)
    }

    /// - Parameter output: the file that gets standard output and standard error.
    init(program: URL, _ arguments: [String], environment: [String: String] = [:], output: URL) throws {
        try Data().write(to: output)
        let file = try FileHandle(forWritingTo: output)
        process = Process()
        lifeline = Pipe()
        self.output = output
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = lifeline
        process.standardOutput = file
        process.standardError = file
        try process.run()
        try file.close()
    }

    var id: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var text: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) {
        if process.isRunning { kill(id, number) }
    }

    /// Waits for the end and returns the exit status, or the signal's number below zero.
    func waitForExit(within limit: Duration = .seconds(30)) async throws -> Int32 {
        try await eventually(
            within: limit, "the end of \(process.executableURL?.lastPathComponent ?? "") \(process.arguments?.first ?? "")"
        ) { process.isRunning ? nil : () }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Ends it, gently if it can be.
    func stop(within limit: Duration = .seconds(25)) async {
        signal(SIGTERM)
        if (try? await waitForExit(within: limit)) == nil {
            signal(SIGKILL)
            _ = try? await waitForExit(within: .seconds(5))
        }
    }
}
