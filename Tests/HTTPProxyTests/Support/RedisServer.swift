import Foundation
import NIOCore
import NIOPosix

@testable import HTTPProxy

/// A real Redis server on loopback, as a child of the test. It keeps nothing in files.
final class RedisServer {
    let address: RedisAddress
    private var process: Process?
    private let arguments: [String]

    /// Runs `body` beside a server.
    static func run(password: String? = nil, _ body: (RedisServer) async throws -> Void) async throws {
        let server = RedisServer(port: try await freePort(), password: password)
        defer { server.stop() }
        try await server.start()
        try await body(server)
    }

    private init(port: Int, password: String?) {
        address = RedisAddress(host: "127.0.0.1", port: port, password: password)
        arguments =
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            + (password.map { ["--requirepass", $0] } ?? [])
    }

    /// Completes when it answers.
    func start() async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        try process.run()
        self.process = process
        while true {
            do {
                return try await RedisConnection.with(address, patience: .seconds(1)) { _ = try await $0.ask(["PING"]) }
            } catch {
                guard process.isRunning else {
                    throw RedisServerError(description: "no redis-server: run scripts/bootstrap --test (\(error))")
                }
                // Until it listens there is nothing to wait for but time.
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// Ends it at once, and all that it knew.
    func kill() {
        guard let process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    /// Lets it hang, or go on.
    func suspend() { signal(SIGSTOP) }
    func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        if let process { Foundation.kill(process.processIdentifier, number) }
    }

    private func stop() {
        resume()
        kill()
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port
        try await channel.close()
        guard let port else { throw RedisServerError(description: "no port") }
        return port
    }

    private struct RedisServerError: Error, CustomStringConvertible {
        let description: String
    }
}
