import Chassis
import Contracts
import Foundation
import Subprocess
import Synchronization

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

// One child process a service: this executable once more, told which service to be (`ServeCommand`). A child that ends is started again: at once the first time, then after a delay that doubles up to
// `longestDelay`, and counts anew once it has lived for `steadyAfter`. Cancelling the supervisor stops all children: SIGTERM, time to finish,
// SIGKILL.
//
// Every child's standard input is the read end of one pipe whose write end only this process holds. Should this process be killed, the
// kernel closes the pipe, and the children, which were started with EXIT_WITH_PARENT, see its end and stop gracefully. So no crash of
// the supervisor leaves services behind.

/// Keeps the processes of a fleet alive.
final class Supervisor: Sendable {
    private static let shortestDelay = Duration.milliseconds(100)
    private static let longestDelay = Duration.seconds(10)
    private static let steadyAfter = Duration.seconds(30)

    private static let executable = Bundle.main.executablePath ?? CommandLine.arguments[0]

    private let fleet: Fleet
    private let drainTimeout: Duration
    private let report: @Sendable (String) -> Void
    private let processes = Mutex<[ServiceName: pid_t]>([:])

    init(_ fleet: Fleet, drainTimeout: Duration, report: @escaping @Sendable (String) -> Void) {
        self.fleet = fleet
        self.drainTimeout = drainTimeout
        self.report = report
    }

    /// Sends a signal to the process of a service, if there is one now.
    func signal(_ service: ServiceName, _ number: Int32) {
        processes.withLock { processes in
            if let process = processes[service] { kill(process, number) }
        }
    }

    /// Runs until cancelled; returns when every child has ended.
    func run() async throws {
        let lifeline = try FileDescriptor.pipe()
        defer {
            try? lifeline.writeEnd.close()
            try? lifeline.readEnd.close()
        }
        try lifeline.writeEnd.closeOnExec()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in Fleet.services {
                group.addTask { try await self.keepAlive(service, input: lifeline.readEnd) }
            }
            while try await group.next() != nil {}
        }
    }

    private func keepAlive(_ service: ServiceName, input: FileDescriptor) async throws {
        var delay = Self.shortestDelay
        while !Task.isCancelled {
            let started = ContinuousClock.now
            let ending = try await runOnce(service, input: input)
            guard !Task.isCancelled else { return }
            if ContinuousClock.now - started > Self.steadyAfter { delay = Self.shortestDelay }
            let words = fleet.directory.lastWords(of: service).map { ": \($0)" } ?? ""
            let log = fleet.directory.log(of: service).path(percentEncoded: false)
            report("\(service.rawValue) ended (\(ending))\(words); starting it again; its log is \(log)")
            try? await Task.sleep(for: delay)
            delay = min(delay * 2, Self.longestDelay)
        }
    }

    /// Starts the service and waits for its end. The log is appended to.
    private func runOnce(_ service: ServiceName, input: FileDescriptor) async throws -> TerminationStatus {
        let log = try FileDescriptor.open(
            FilePath(fleet.directory.log(of: service).path(percentEncoded: false)), .writeOnly, options: [.create, .append, .closeOnExec],
            permissions: .ownerReadWrite)
        defer { try? log.close() }
        var options = PlatformOptions()
        // A group of its own, so that Ctrl-C reaches only the supervisor, which stops the others in order.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: drainTimeout)]
        let variables = fleet.environment(of: service).map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
        let result = try await Subprocess.run(
            .path(FilePath(Self.executable)),
            // The name under which the system lists it.
            arguments: Arguments(executablePathOverride: service.rawValue, remainingValues: ["serve", service.rawValue]),
            environment: .inherit.updating(Dictionary(uniqueKeysWithValues: variables)),
            platformOptions: options,
            input: .fileDescriptor(input, closeAfterSpawningProcess: false),
            output: .fileDescriptor(log, closeAfterSpawningProcess: false),
            error: .fileDescriptor(log, closeAfterSpawningProcess: false)
        ) { execution in
            self.processes.withLock { $0[service] = execution.processIdentifier.value }
        }
        processes.withLock { $0[service] = nil }
        return result.terminationStatus
    }
}

extension FileDescriptor {
    /// Keeps this descriptor from being inherited by children.
    fileprivate func closeOnExec() throws {
        guard fcntl(rawValue, F_SETFD, FD_CLOEXEC) == 0 else { throw Errno(rawValue: errno) }
    }
}
